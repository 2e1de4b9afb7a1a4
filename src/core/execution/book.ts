/**
 * The virtual position of one strategy in one symbol and its pending order. A decision is filled at the market's next
 * word (the next tick, or the next bar's open), never at the price that caused it; stops are looked at before targets,
 * and a gap through a stop fills at the open. Backtest, paper and live are this same code.
 */
import type { Fill } from '../domain/fill';
import type { Position } from '../domain/position';
import { type Costs, marketFillPrice } from './costs';

export interface PendingOrder {
  readonly targetExposure: number;
  /** Units to trade: of a reversal, those that close and those that open. */
  readonly quantity: number | null;
  /** Units held once it is filled; `null` when that is not known, or nothing is. */
  readonly unitsAfter: number | null;
  readonly stopLoss: number | null;
  readonly takeProfit: number | null;
  readonly signalId: string;
  readonly strategyVersion: number;
}

export interface Book {
  readonly strategyId: string;
  readonly symbol: string;
  /** Signed notional over equity; 0 = flat. */
  exposure: number;
  /** Units held: without a sign while they are assumed, signed as executions have it. */
  quantity: number | null;
  entryPrice: number;
  entryMs: number;
  stopLoss: number | null;
  takeProfit: number | null;
  price: number;
  source: 'assumed' | 'executed';
  /** The entry's signal. */
  signalId: string | null;
  strategyVersion: number;
  pending: PendingOrder | null;
  /** Signals this book has seen: the ordinal in their ids. */
  ordinal: number;
  /** Event time before which no new entry is allowed. */
  cooldownUntilMs: number;
}

export function createBook(strategyId: string, symbol: string): Book {
  return {
    strategyId,
    symbol,
    exposure: 0,
    quantity: null,
    entryPrice: 0,
    entryMs: 0,
    stopLoss: null,
    takeProfit: null,
    price: 0,
    source: 'assumed',
    signalId: null,
    strategyVersion: 0,
    pending: null,
    ordinal: 0,
    cooldownUntilMs: 0,
  };
}

/** A book without what it began with, which of most books is nearly all. */
export type BookChanges = Pick<Book, 'strategyId' | 'symbol'> & Partial<Book>;

/** What `bookOf` makes the same book of; plain data, as JSON has it. */
export function changesOf(book: Book): BookChanges {
  const { strategyId, symbol } = book;
  const beginning = createBook(strategyId, symbol);
  const changed = Object.entries(book).filter(([field, value]) => value !== beginning[field as keyof Book]);
  return { strategyId, symbol, ...Object.fromEntries(changed) };
}

export const bookOf = (changes: BookChanges): Book =>
  Object.assign(createBook(changes.strategyId, changes.symbol), changes);

/** The market's next word: a tick has one price, a bar its range. */
export interface MarketMove {
  /** When it began and when it was known: a bar's open and end, one instant for a tick. */
  timestampMs: number;
  endMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

/** A stop or target that was hit: the position is flat now, and the owner tells it as a signal. */
export interface Exit {
  readonly reason: 'stop_loss' | 'take_profit';
  readonly price: number;
  readonly level: number;
  readonly exposure: number;
  readonly quantity: number | null;
  readonly entryPrice: number;
  readonly signalId: string | null;
  readonly strategyVersion: number;
}

/** Notes an order. Where executions say what is held, it only brings the levels that its position is to have. */
export function place(book: Book, order: PendingOrder): void {
  if (book.source === 'assumed') {
    book.pending = order;
    return;
  }
  book.stopLoss = order.stopLoss;
  book.takeProfit = order.takeProfit;
  book.signalId = order.signalId;
  book.strategyVersion = order.strategyVersion;
}

/** Units held, whatever the side, once what is pending is filled; `null` when that is not known. */
export function heldUnits(book: Book): number | null {
  if (book.pending !== null) return book.pending.targetExposure === 0 ? 0 : book.pending.unitsAfter;
  if (book.exposure === 0) return 0;
  return book.quantity === null ? null : Math.abs(book.quantity);
}

/** Moves the book by the market's next word; fills go to `fills`, and the answer is the exit it caused, if any. */
export function move(book: Book, market: MarketMove, costs: Costs, fills: Fill[]): Exit | null {
  book.price = market.close;
  if (book.pending !== null && book.source === 'assumed') fillPending(book, book.pending, market, costs, fills);
  if (book.exposure === 0) return null;
  return exitAt(book, market, costs, fills);
}

function fillPending(book: Book, order: PendingOrder, market: MarketMove, costs: Costs, fills: Fill[]): void {
  book.pending = null;
  const change = order.targetExposure - book.exposure;
  if (change === 0) return;
  const price = marketFillPrice(market.open, Math.sign(change), costs);
  fills.push(fillOf(book, order.signalId, change, order.quantity, price, costs, market.timestampMs, 'market'));
  const opens = order.targetExposure !== 0;
  const adds = opens && Math.sign(order.targetExposure) === Math.sign(book.exposure);
  if (adds) {
    const weight = book.exposure / order.targetExposure;
    book.entryPrice = book.entryPrice * weight + price * (1 - weight);
  } else {
    book.entryPrice = opens ? price : 0;
    book.entryMs = opens ? market.timestampMs : 0;
    book.signalId = opens ? order.signalId : null;
  }
  book.quantity = opens ? order.unitsAfter : null;
  book.exposure = order.targetExposure;
  book.strategyVersion = order.strategyVersion;
  book.stopLoss = opens ? order.stopLoss : null;
  book.takeProfit = opens ? order.takeProfit : null;
}

function exitAt(book: Book, market: MarketMove, costs: Costs, fills: Fill[]): Exit | null {
  const side = Math.sign(book.exposure);
  const worst = side > 0 ? market.low : market.high;
  const best = side > 0 ? market.high : market.low;
  if (book.stopLoss !== null && side * (worst - book.stopLoss) <= 0) {
    const gapped = side * (market.open - book.stopLoss) < 0;
    return leave(book, 'stop_loss', book.stopLoss, gapped ? market.open : book.stopLoss, market, costs, fills);
  }
  if (book.takeProfit !== null && side * (best - book.takeProfit) >= 0) {
    const gapped = side * (market.open - book.takeProfit) > 0;
    return leave(book, 'take_profit', book.takeProfit, gapped ? market.open : book.takeProfit, market, costs, fills);
  }
  return null;
}

function leave(
  book: Book,
  reason: Exit['reason'],
  level: number,
  touched: number,
  market: MarketMove,
  costs: Costs,
  fills: Fill[],
): Exit {
  const price = marketFillPrice(touched, -Math.sign(book.exposure), costs);
  const { exposure, quantity, entryPrice, signalId, strategyVersion } = book;
  if (book.source === 'executed') {
    // What is really held changes by executions alone; told once, the level has done its work.
    book.stopLoss = null;
    book.takeProfit = null;
    return { reason, price, level, exposure, quantity, entryPrice, signalId, strategyVersion };
  }
  const units = quantity === null ? null : Math.abs(quantity);
  fills.push(fillOf(book, signalId ?? '', -exposure, units, price, costs, market.endMs, reason));
  flatten(book);
  return { reason, price, level, exposure, quantity, entryPrice, signalId, strategyVersion };
}

/** Forgets the position (not the counters). */
export function flatten(book: Book): void {
  book.exposure = 0;
  book.quantity = null;
  book.entryPrice = 0;
  book.entryMs = 0;
  book.stopLoss = null;
  book.takeProfit = null;
  book.signalId = null;
  book.pending = null;
}

function fillOf(
  book: Book,
  signalId: string,
  exposureChange: number,
  quantity: number | null,
  price: number,
  costs: Costs,
  timestampMs: number,
  reason: Fill['reason'],
): Fill {
  const { strategyId, symbol } = book;
  const costRatio = costs.commissionRatio + costs.spreadRatio / 2 + costs.slippageRatio;
  return { strategyId, symbol, signalId, exposureChange, quantity, price, costRatio, timestampMs, reason };
}

/**
 * A tracked execution that carries side and quantity: from now on this book is what was really done, not what our
 * signals would have done. `positionAfter`, where given, is believed over the sum.
 */
export function executed(
  book: Book,
  side: 1 | -1,
  quantity: number,
  price: number | null,
  positionAfter: number | null,
  timestampMs: number,
  capital: number | null,
): void {
  const before = book.source === 'executed' ? (book.quantity ?? 0) : 0;
  const after = positionAfter ?? before + side * quantity;
  const at = price ?? book.price;
  const opens = after !== 0 && Math.sign(after) !== Math.sign(before);
  const grows = !opens && Math.abs(after) > Math.abs(before);
  book.source = 'executed';
  book.pending = null;
  if (after === 0) {
    flatten(book);
    return;
  }
  if (opens) {
    book.entryPrice = at;
    book.entryMs = timestampMs;
  } else if (grows) {
    book.entryPrice = (book.entryPrice * before + at * (after - before)) / after;
  }
  book.quantity = after;
  book.exposure = capital !== null && capital > 0 ? (after * at) / capital : Math.sign(after);
}

export function positionView(book: Book): Position {
  const open = book.exposure !== 0;
  return {
    strategyId: book.strategyId,
    symbol: book.symbol,
    exposure: book.exposure,
    quantity: open && book.quantity !== null ? Math.sign(book.exposure) * Math.abs(book.quantity) : null,
    entryPrice: open ? book.entryPrice : null,
    entryMs: open ? book.entryMs : null,
    stopLoss: book.stopLoss,
    takeProfit: book.takeProfit,
    unrealizedRatio: open ? Math.sign(book.exposure) * (book.price / book.entryPrice - 1) : null,
    price: book.price > 0 ? book.price : null,
    positionSource: book.source,
    signalId: book.signalId,
    strategyVersion: book.strategyVersion,
  };
}

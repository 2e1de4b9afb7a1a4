/**
 * A position on paper for one strategy on one series of bars: the order of a proposal is filled at the next bar's open,
 * then stop before target within a bar, as the engine's books do it. No costs and no sizes: one proposal is one unit.
 * Families keep one for each member, and the contract test for the strategy it drives.
 */
import type { Bar } from '../domain/bar';
import type { IntentSlot, StepContext } from './strategy';

export type PaperPosition = {
  /** Signed units; 0 = flat. */
  exposure: number;
  entryPrice: number;
  /** Bars since the entry, the bar of the fill included; 0 when flat. */
  age: number;
  /** 0 = none. */
  stopLoss: number;
  takeProfit: number;
  /** 1 while an order waits for the next bar. */
  pending: number;
  pendingExposure: number;
  pendingStop: number;
  pendingTarget: number;
};

export function createPaperPosition(): PaperPosition {
  const position = { exposure: 0, entryPrice: 0, age: 0, stopLoss: 0, takeProfit: 0 };
  return { ...position, pending: 0, pendingExposure: 0, pendingStop: 0, pendingTarget: 0 };
}

/** Side it will have once its order is filled. */
export function sideOf(paper: PaperPosition): number {
  return Math.sign(paper.pending === 1 ? paper.pendingExposure : paper.exposure);
}

/** Takes a proposal as it is. */
export function placePaper(paper: PaperPosition, intent: IntentSlot): void {
  const { side, add } = intent;
  const keeps = side !== 0 && sideOf(paper) === side;
  if (keeps && add !== 1) return;
  paper.pending = 1;
  paper.pendingExposure = keeps ? paper.exposure + side : side;
  paper.pendingStop = intent.stopLoss;
  paper.pendingTarget = intent.takeProfit;
}

/** Moves it by one bar: fill, stop, target, age. */
export function movePaper(paper: PaperPosition, bar: Bar): void {
  if (paper.pending === 1) fill(paper, bar);
  if (paper.exposure !== 0 && isOut(paper, bar)) flattenPaper(paper);
  paper.age = paper.exposure === 0 ? 0 : paper.age + 1;
}

function fill(paper: PaperPosition, bar: Bar): void {
  const { exposure, pendingExposure } = paper;
  const grows = exposure !== 0 && Math.sign(exposure) === Math.sign(pendingExposure);
  paper.pending = 0;
  if (grows)
    paper.entryPrice = (paper.entryPrice * exposure + bar.open * (pendingExposure - exposure)) / pendingExposure;
  else {
    paper.entryPrice = pendingExposure === 0 ? 0 : bar.open;
    paper.age = 0;
  }
  paper.exposure = pendingExposure;
  paper.stopLoss = pendingExposure === 0 ? 0 : paper.pendingStop;
  paper.takeProfit = pendingExposure === 0 ? 0 : paper.pendingTarget;
}

function isOut(paper: PaperPosition, bar: Bar): boolean {
  const isLong = paper.exposure > 0;
  const { stopLoss, takeProfit } = paper;
  if (stopLoss !== 0 && (isLong ? bar.low <= stopLoss : bar.high >= stopLoss)) return true;
  return takeProfit !== 0 && (isLong ? bar.high >= takeProfit : bar.low <= takeProfit);
}

export function flattenPaper(paper: PaperPosition): void {
  paper.exposure = 0;
  paper.entryPrice = 0;
  paper.stopLoss = 0;
  paper.takeProfit = 0;
  paper.pending = 0;
}

/** What the strategy may know of it. */
export function tellPaper(paper: PaperPosition, context: StepContext): void {
  context.exposure = paper.exposure;
  context.entryPrice = paper.entryPrice;
  context.age = paper.age;
}

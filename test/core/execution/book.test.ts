import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Fill } from '../../../src/core/domain/fill';
import {
  type Book,
  bookOf,
  changesOf,
  createBook,
  executed,
  move,
  type PendingOrder,
  place,
  positionView,
} from '../../../src/core/execution/book';
import { presetCosts } from '../../../src/core/execution/costs';

const free = { spreadRatio: 0, slippageRatio: 0, commissionRatio: 0 };
const order: PendingOrder = {
  targetExposure: 0.5,
  quantity: 5,
  unitsAfter: 5,
  stopLoss: 95,
  takeProfit: 110,
  signalId: 'sig_1',
  strategyVersion: 1,
};

function bar(open: number, high: number, low: number, close: number) {
  return { timestampMs: 1_000, endMs: 2_000, open, high, low, close };
}

function long(): { book: Book; fills: Fill[] } {
  const book = createBook('s', 'AAA');
  const fills: Fill[] = [];
  place(book, order);
  move(book, bar(100, 101, 99, 100), free, fills);
  return { book, fills };
}

describe('the book of a virtual position', () => {
  it("fills at the market's next word, not at the price that caused the decision", () => {
    const { book, fills } = long();
    assert.equal(book.entryPrice, 100);
    assert.equal(book.exposure, 0.5);
    assert.deepEqual(
      fills.map(({ price, exposureChange, reason, timestampMs }) => ({ price, exposureChange, reason, timestampMs })),
      [{ price: 100, exposureChange: 0.5, reason: 'market', timestampMs: 1_000 }],
    );
  });

  it('pays half the spread and the slippage on each side', () => {
    const book = createBook('s', 'AAA');
    place(book, order);
    move(book, bar(100, 100, 100, 100), presetCosts.crypto, []);
    assert.ok(Math.abs(book.entryPrice - 100 * (1 + 0.0001 + 0.0002)) < 1e-9);
  });

  it('looks at the stop before the target when one bar reaches both', () => {
    const { book, fills } = long();
    const exit = move(book, bar(100, 120, 90, 100), free, fills);
    assert.equal(exit?.reason, 'stop_loss');
    assert.equal(exit?.price, 95);
    assert.equal(exit?.signalId, 'sig_1');
    assert.equal(book.exposure, 0);
    assert.equal(fills.at(-1)?.timestampMs, 2_000);
  });

  it('leaves at the open when the market gapped through the stop, or through the target', () => {
    const stopped = long();
    assert.equal(move(stopped.book, bar(80, 85, 79, 84), free, stopped.fills)?.price, 80);
    const reached = long();
    assert.equal(move(reached.book, bar(130, 131, 129, 130), free, reached.fills)?.price, 130);
  });

  it('can be stopped in the bar that filled it', () => {
    const book = createBook('s', 'AAA');
    place(book, order);
    assert.equal(move(book, bar(100, 100, 90, 91), free, [])?.reason, 'stop_loss');
  });

  it('mirrors all of it for a short', () => {
    const book = createBook('s', 'AAA');
    place(book, { ...order, targetExposure: -0.5, stopLoss: 105, takeProfit: 90 });
    move(book, bar(100, 101, 99, 100), free, []);
    assert.equal(book.exposure, -0.5);
    const exit = move(book, bar(100, 106, 99, 104), free, []);
    assert.equal(exit?.reason, 'stop_loss');
    assert.equal(exit?.price, 105);
  });

  it('averages the entry when it adds, and starts anew when it reverses', () => {
    const { book, fills } = long();
    place(book, { ...order, targetExposure: 1, quantity: 4, unitsAfter: 9, signalId: 'sig_2' });
    move(book, bar(106, 106, 106, 106), free, fills);
    assert.equal(book.entryPrice, 103);
    assert.equal(book.signalId, 'sig_1');
    assert.equal(book.quantity, 9);
    place(book, { ...order, targetExposure: -0.5, stopLoss: 120, takeProfit: 90, signalId: 'sig_3' });
    move(book, bar(104, 104, 104, 104), free, fills);
    assert.equal(book.entryPrice, 104);
    assert.equal(book.signalId, 'sig_3');
    assert.equal(fills.at(-1)?.exposureChange, -1.5);
    assert.deepEqual([book.quantity, positionView(book).quantity], [5, -5]);
  });

  it('follows executions once they carry side and quantity, and forgets what it assumed', () => {
    const { book } = long();
    executed(book, 1, 2, 101, null, 5_000, 1_000);
    assert.equal(book.source, 'executed');
    assert.equal(book.quantity, 2);
    assert.equal(book.entryPrice, 101);
    assert.ok(Math.abs(book.exposure - 0.202) < 1e-12);
    executed(book, 1, 2, 103, null, 6_000, 1_000);
    assert.equal(book.entryPrice, 102);
    executed(book, -1, 1, 104, null, 7_000, 1_000);
    assert.equal(book.quantity, 3);
    assert.equal(book.entryPrice, 102);
    place(book, order);
    move(book, bar(100, 100, 100, 100), free, []);
    assert.equal(book.quantity, 3);
    executed(book, -1, 1, 104, 0, 8_000, 1_000);
    assert.equal(positionView(book).quantity, null);
    assert.equal(positionView(book).exposure, 0);
  });

  it('tells a stop of an executed position once, and leaves what is held to the executions', () => {
    const book = createBook('s', 'AAA');
    executed(book, 1, 2, 100, null, 5_000, null);
    place(book, order);
    const fills: Fill[] = [];
    assert.equal(move(book, bar(96, 96, 94, 95), free, fills)?.reason, 'stop_loss');
    assert.equal(move(book, bar(94, 94, 93, 93), free, fills), null);
    assert.equal(book.quantity, 2);
    assert.equal(fills.length, 0);
  });

  it('tells what an open position is worth against its entry', () => {
    const { book } = long();
    move(book, bar(104, 105, 103, 104), free, []);
    assert.ok(Math.abs((positionView(book).unrealizedRatio ?? 0) - 0.04) < 1e-12);
  });

  it('is the same book again from its changes, whatever has become of it', () => {
    const number = fc.constantFrom(0, 1, -2.5, 1e12);
    const orNull = fc.option(number);
    const later = fc.record(
      {
        exposure: number,
        quantity: orNull,
        entryPrice: number,
        entryMs: number,
        stopLoss: orNull,
        takeProfit: orNull,
        price: number,
        source: fc.constantFrom<Book['source']>('assumed', 'executed'),
        signalId: fc.option(fc.string()),
        strategyVersion: number,
        pending: fc.option(fc.constant(order)),
        ordinal: number,
        cooldownUntilMs: number,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.string(), later, (name, changes) => {
        const book: Book = { ...createBook(name, 'AAA'), ...changes };
        const again = bookOf(JSON.parse(JSON.stringify(changesOf(book))));
        assert.deepEqual(again, book);
        assert.deepEqual(Object.keys(again), Object.keys(book));
      }),
    );
    assert.deepEqual(changesOf(createBook('s', 'AAA')), { strategyId: 's', symbol: 'AAA' });
  });
});

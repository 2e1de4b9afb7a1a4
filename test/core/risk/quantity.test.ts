import assert from 'node:assert/strict';
import type { SignalDraft } from '../../../src/core/domain/signal';
import type { BarInput } from '../../../src/core/domain/tick';
import { onBatch } from '../../../src/core/engine';
import { positionView } from '../../../src/core/execution/book';
import { bar, batchOf, coreWith, startMs } from '../../helpers/core';
import { obedient } from '../../helpers/obedient';

const capital = 10_000;
const definitions = [obedient] as never[];

/** What an executor holds who trades exactly what a signal says. */
function traded(held: number, { action, intent, quantity }: SignalDraft): number {
  assert.ok(quantity !== null && quantity > 0, `${action} ${intent} ${quantity}`);
  const side = action === 'buy' ? 1 : action === 'sell' ? -1 : -Math.sign(held);
  return held + side * quantity;
}

function swings(count: number, open: (i: number) => number): BarInput[] {
  return Array.from({ length: count }, (_, i) => {
    const from = open(i);
    const to = i % 9 === 8 ? from : open(i + 1);
    return bar('AAA', startMs + i * 60_000, [from, Math.max(from, to) * 1.001, Math.min(from, to) * 0.999, to]);
  });
}

describe('the quantity of signals', () => {
  const price = (i: number) => 100 + 8 * Math.sin(i / 2) + i / 10;

  it('brings who trades exactly it to what the position says, and to nothing with every close', () => {
    const core = coreWith([{ strategyId: 'o', strategyType: 'obedient', timeframe: '1m' }], { definitions, capital });
    const intents = new Map<string, number>();
    let held = 0;
    for (const one of swings(200, price)) {
      const { signals } = onBatch(core, batchOf([one]));
      const book = core.symbols.get('AAA')?.books.get('o');
      for (const signal of signals) {
        intents.set(signal.intent, (intents.get(signal.intent) ?? 0) + 1);
        held = traded(held, signal);
        if (signal.intent === 'close') assert.ok(Math.abs(held) < 1e-7, `${signal.signalId} leaves ${held}`);
        // What it opens is worth the exposure that it says.
        else assert.ok(Math.abs(held - (signal.targetExposure * capital) / signal.price) < 1e-7, signal.signalId);
      }
      if (signals.length > 0 || book === undefined || book.pending !== null || book.exposure === 0) continue;
      assert.ok(Math.abs(held - (positionView(book).quantity ?? 0)) < 1e-7, `${held} is not what the position says`);
    }
    assert.ok((intents.get('reverse') ?? 0) > 10 && (intents.get('close') ?? 0) > 10, JSON.stringify([...intents]));
  });

  it('of a stop that ends a reversed position is what the reversal opened', () => {
    const parameters = { stopRatio: 0.02 };
    const of = [{ strategyId: 'o', strategyType: 'obedient', timeframe: '1m', parameters }];
    const core = coreWith(of, { definitions, capital });
    const at = (i: number, open: number, close: number) =>
      bar('AAA', startMs + i * 60_000, [open, Math.max(open, close), Math.min(open, close), close]);
    const signals = [at(0, 100, 100), at(1, 100, 101), at(2, 101, 100), at(3, 100, 99), at(4, 103, 104)].flatMap(
      (one) => [...onBatch(core, batchOf([one])).signals],
    );
    const [opened, reversed, stopped] = signals;
    assert.deepEqual([opened?.intent, reversed?.intent, stopped?.intent], ['open', 'reverse', 'close']);
    assert.equal(stopped?.priceKind, 'stop');
    assert.equal(stopped?.quantity, Number(((reversed?.quantity ?? 0) - (opened?.quantity ?? 0)).toFixed(8)));
  });
});

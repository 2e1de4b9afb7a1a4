import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StateReader, StateWriter } from '../../../src/core/domain/state-codec';
import {
  createGapTracker,
  type GapTracker,
  readGapTracker,
  type SequenceGap,
  settleGaps,
  trackSequence,
  writeGapTracker,
} from '../../../src/core/market/gaps';
import { uniforms } from './market-samples';

type Message = readonly [symbol: string, seq: number, ms: number];

function track(messages: readonly Message[], tracker: GapTracker = createGapTracker()): SequenceGap[] {
  const gaps: SequenceGap[] = [];
  for (const [symbol, seq, ms] of messages) trackSequence(tracker, 'feed', symbol, seq, ms, gaps);
  settleGaps(tracker, 1e9, gaps);
  return gaps;
}

function lost(gaps: readonly SequenceGap[]): number {
  return gaps.reduce((sum, gap) => sum + (gap.lost ?? 0), 0);
}

/** One counter for all symbols, or one for each. */
function stream(count: number, symbols: readonly string[], isPerSymbol: boolean): Message[] {
  const uniform = uniforms(11);
  const counters = new Map<string, number>();
  return Array.from({ length: count }, (_, i) => {
    const symbol = symbols[Math.floor(uniform() * symbols.length)] as string;
    const key = isPerSymbol ? symbol : '';
    const seq = (counters.get(key) ?? 0) + 1;
    counters.set(key, seq);
    return [symbol, seq, i * 10] as const;
  });
}

describe('numbers missing from a feed', () => {
  it('are reported with how many and between which times', () => {
    const gaps = track([
      ['A', 1, 0],
      ['A', 2, 10],
      ['A', 6, 50],
      ['A', 7, 60],
    ]);
    assert.deepEqual(gaps, [{ source: 'feed', symbol: null, lost: 3, fromMs: 10, toMs: 50 }]);
  });

  it('are not lost when they only come in another order', () => {
    const gaps = track([
      ['A', 1, 0],
      ['A', 4, 10],
      ['A', 3, 11],
      ['A', 2, 12],
      ['A', 5, 13],
    ]);
    assert.deepEqual(gaps, []);
  });

  it('are reported without waiting for the end once the gap is older than the lateness', () => {
    const tracker = createGapTracker();
    const gaps: SequenceGap[] = [];
    for (const [seq, ms] of [
      [1, 0],
      [5, 10],
      [6, 2_000],
    ] as const) {
      trackSequence(tracker, 'feed', 'A', seq, ms, gaps);
    }
    assert.equal(gaps.length, 0);
    trackSequence(tracker, 'feed', 'A', 7, 2_011, gaps);
    assert.equal(lost(gaps), 3);
  });

  for (const isPerSymbol of [false, true]) {
    const kind = isPerSymbol ? 'a counter per symbol' : 'one counter for the feed';
    it(`are exact for ${kind}, whichever messages are lost (property)`, () => {
      const all = stream(600, ['A', 'B', 'C'], isPerSymbol);
      assert.deepEqual(track(all), []);
      const property = fc.property(fc.uniqueArray(fc.integer({ min: 60, max: 560 }), { maxLength: 60 }), (gone) => {
        const missing = new Set(gone);
        assert.equal(lost(track(all.filter((_, i) => !missing.has(i)))), missing.size);
      });
      fc.assert(property, { seed: 46, numRuns: 100 });
    });
  }

  it('of a per-symbol counter that looked like the feed’s at first are not invented', () => {
    const gaps = track([
      ['A', 1, 0],
      ['B', 2, 10],
      ['A', 2, 20],
      ['B', 3, 30],
      ['A', 3, 40],
      ['B', 4, 50],
    ]);
    assert.equal(lost(gaps), 0);
  });

  it('of a feed counter that looked like per-symbol ones at first are not invented', () => {
    const messages: Message[] = [
      ['A', 5, 0],
      ['B', 4, 1],
    ];
    for (let seq = 6; seq < 60; seq++) messages.push([seq % 2 === 0 ? 'B' : 'A', seq, seq]);
    assert.equal(lost(track(messages)), 0);
  });

  it('of a producer that started again are said to be unknown', () => {
    const gaps = track([
      ['A', 5_000, 0],
      ['A', 5_001, 10],
      ['A', 1, 20],
      ['A', 2, 30],
    ]);
    assert.deepEqual(gaps, [{ source: 'feed', symbol: null, lost: null, fromMs: 10, toMs: 20 }]);
  });

  it('are not made by repetitions, which are counted', () => {
    const tracker = createGapTracker();
    const messages = [1, 2, 2, 3, 2, 4].map((seq, i) => ['A', seq, i] as const);
    assert.deepEqual(track(messages, tracker), []);
    assert.equal(tracker.repeated, 2);
  });

  it('are followed on as if the tracker had never stopped', () => {
    const messages = stream(400, ['A', 'B'], true).filter((_, i) => i % 37 !== 36);
    const tracker = createGapTracker();
    const gaps: SequenceGap[] = [];
    let revived = tracker;
    for (const [symbol, seq, ms] of messages) {
      const writer = new StateWriter();
      writeGapTracker(revived, writer);
      revived = readGapTracker(new StateReader(writer.bytes()));
      trackSequence(revived, 'feed', symbol, seq, ms, gaps);
    }
    settleGaps(revived, 1e9, gaps);
    assert.deepEqual(gaps, track(messages));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { limits } from '../../../src/core/domain/limits';
import type { MarketItem, Tick } from '../../../src/core/domain/tick';
import { type AdmissionPolicy, type Outcome, outcomes } from '../../../src/core/market/market';
import { advance, heldCount, outcomeCount } from '../../../src/core/market/symbol-market';
import { bar, market, partial, play, revived, t0, tick } from './market-samples';

/** Enough calm ticks for the band to judge, one a second, ending before `ms` 0. */
function calm(source = 'a', count = 60): Tick[] {
  return Array.from({ length: count }, (_, i) =>
    tick((i - count) * 1_000, 100 + (i % 2) * 0.01, { source, volume: i }),
  );
}

function outcomesAfter(sm: ReturnType<typeof market>, items: readonly MarketItem[], door: 'live' | 'ordered' = 'live') {
  return play(sm, items, door).outcomes;
}

describe('admission: late', () => {
  it('is what is older than the largest event time less the lateness of the door', () => {
    const items = [tick(10_000, 100), tick(8_000, 100.1), tick(7_999, 100.2)];
    assert.deepEqual(outcomesAfter(market([]), items), ['accepted', 'accepted', 'late']);
    assert.deepEqual(outcomesAfter(market([]), items, 'ordered'), ['accepted', 'late', 'late']);
  });

  it('is judged per source; a slow source is used, and marked where the bars are settled', () => {
    const b = { source: 'b' };
    const items = [tick(10_000, 100), tick(8_500, 100, b), tick(7_000, 100, b), tick(5_000, 100, b), tick(7_500, 100)];
    const expected = ['accepted', 'accepted', 'accepted_late', 'late', 'late'];
    assert.deepEqual(outcomesAfter(market([]), items), expected);
  });

  it('follows the policy', () => {
    const items = [tick(10_000, 100), tick(1_000, 101)];
    assert.deepEqual(outcomesAfter(market([], { late: 'flag' }), items), ['accepted', 'accepted_late']);
    assert.deepEqual(outcomesAfter(market([], { late: 'accept' }), items), ['accepted', 'accepted']);
  });

  it('begins where the time was told', () => {
    const sm = market([]);
    play(sm, [tick(0, 100)], 'live');
    advance(sm, t0 + 50_000, []);
    assert.deepEqual(outcomesAfter(sm, [tick(49_999, 100), tick(50_000, 101)]), ['late', 'accepted']);
  });

  it('is not brought about by a stamp ahead of its arrival', () => {
    const sm = market([]);
    play(sm, [tick(0, 100), tick(240_000, 100)], 'live', undefined, t0 + 100);
    const run = play(sm, [tick(200, 100)], 'live', undefined, t0 + 300);
    assert.deepEqual(run.outcomes, ['accepted']);
  });
});

describe('admission: duplicates', () => {
  it('drops the same id, whatever else differs', () => {
    const items = [tick(0, 100, { id: 'x' }), tick(500, 101, { id: 'x' }), tick(500, 101, { id: 'y' })];
    assert.deepEqual(outcomesAfter(market([]), items), ['accepted', 'duplicate', 'accepted']);
  });

  it('takes the same id of another source for another tick', () => {
    const items = [tick(0, 100, { id: 'x' }), tick(0, 100, { id: 'x', source: 'b' })];
    assert.deepEqual(outcomesAfter(market([]), items), ['accepted', 'accepted']);
  });

  it('flags and uses an identical tuple without an id', () => {
    const run = play(market([]), [tick(0, 100), tick(0, 100), tick(0, 100, { volume: 2 })], 'live');
    assert.deepEqual(run.outcomes, ['accepted', 'accepted_duplicate', 'accepted']);
    assert.equal(run.admitted.length, 3);
  });

  it('tells quotes with the same middle apart', () => {
    const quote = (bid: number, ask: number) => tick(0, 100, { quote: { bid, ask, bidSize: null, askSize: null } });
    assert.deepEqual(outcomesAfter(market([]), [quote(99, 101), quote(98, 102), quote(99, 101)]), [
      'accepted',
      'accepted',
      'accepted_duplicate',
    ]);
  });

  it('never suspects ticks whose timestamp was not sent', () => {
    const items = [tick(0, 100, { stamped: false }), tick(0, 100, { stamped: false })];
    assert.deepEqual(outcomesAfter(market([]), items), ['accepted', 'accepted']);
  });

  it('follows the policies', () => {
    const items = [tick(0, 100, { id: 'x' }), tick(0, 100, { id: 'x' }), tick(0, 100), tick(0, 100)];
    const of = (duplicateId: AdmissionPolicy, duplicateTuple: AdmissionPolicy) =>
      outcomesAfter(market([], { duplicateId, duplicateTuple }), items);
    assert.deepEqual(of('flag', 'drop'), ['accepted', 'accepted_duplicate', 'accepted', 'duplicate']);
    assert.deepEqual(of('accept', 'accept'), ['accepted', 'accepted', 'accepted', 'accepted']);
  });

  it('remembers at least the stated number of ids and all of the last ten seconds, and no more than its bound', () => {
    const sm = market([]);
    const slow = Array.from({ length: limits.duplicatesMin }, (_, i) => tick(i * 60_000, 100, { id: `slow${i}` }));
    play(sm, slow, 'ordered');
    assert.deepEqual(outcomesAfter(sm, [slow[0] as Tick], 'ordered'), ['duplicate']);
    const startMs = 200 * 60_000;
    const dense = Array.from({ length: 2 * limits.duplicatesMax }, (_, i) => tick(startMs + i, 100, { id: `d${i}` }));
    play(sm, dense, 'ordered');
    assert.equal(sm.duplicates.hash.length, limits.duplicatesMax);
    assert.deepEqual(outcomesAfter(sm, [dense[limits.duplicatesMax] as Tick], 'ordered'), ['duplicate']);
    assert.deepEqual(outcomesAfter(sm, [dense[limits.duplicatesMax - 1] as Tick], 'ordered'), ['late']);
  });

  it('finds exactly the ids in its window, like a list would (property)', () => {
    const property = fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 1_500 }), (numbers) => {
      const sm = market([]);
      const seen: number[] = [];
      numbers.forEach((n, i) => {
        const [outcome] = outcomesAfter(sm, [tick(i * 600_000, 100, { id: `id-${n}` })], 'ordered');
        const isKnown = seen.slice(-limits.duplicatesMin).includes(n);
        assert.equal(outcome, isKnown ? 'duplicate' : 'accepted');
        if (!isKnown) seen.push(n);
      });
    });
    fc.assert(property, { seed: 41, numRuns: 20 });
  });
});

describe('admission: off the market', () => {
  it('judges nothing before the band has seen enough ticks', () => {
    const sm = market([]);
    play(sm, calm('a', limits.bandWarmupTicks - 1), 'ordered');
    assert.deepEqual(outcomesAfter(sm, [tick(0, 1_000)], 'ordered'), ['accepted']);
    const warm = market([]);
    play(warm, calm('a', limits.bandWarmupTicks), 'ordered');
    assert.deepEqual(outcomesAfter(warm, [tick(0, 1_000)], 'ordered'), ['held']);
  });

  it('drops and counts what nobody agreed with, and never moves a watermark or a bar by it', () => {
    const sm = market(['1m']);
    play(sm, calm(), 'ordered');
    const run = play(sm, [tick(900_000, 1_000), tick(0, 100), tick(1, 100)], 'ordered');
    assert.deepEqual(run.outcomes, ['held', 'accepted', 'accepted']);
    assert.deepEqual(
      run.dropped.map((one) => one.outcome),
      ['off_market'],
    );
    assert.equal(outcomeCount(sm, 'off_market'), 1);
    assert.equal(heldCount(sm), 0);
    assert.ok(run.closed.every((one) => one.bar.high < 101));
  });

  it('releases in order when three further ticks agree', () => {
    const sm = market([]);
    play(sm, calm(), 'ordered');
    const crash = [70, 69, 71, 70.5].map((price, i) => tick(i * 10, price));
    const run = play(sm, [...crash, tick(100, 70)], 'ordered');
    assert.deepEqual(run.outcomes, ['held', 'held', 'held', 'accepted_released', 'accepted']);
    assert.deepEqual(
      run.admitted.map((one) => one.item),
      [...crash, tick(100, 70)],
    );
    assert.equal(outcomeCount(sm, 'accepted_released'), 4);
  });

  it('releases when a second source agrees', () => {
    const sm = market([]);
    play(sm, calm(), 'live');
    const run = play(sm, [tick(0, 60), tick(5, 61, { source: 'b' })], 'live');
    assert.deepEqual(run.outcomes, ['held', 'accepted_released']);
    assert.equal(run.admitted.length, 2);
  });

  it('takes neither a repeated print nor a resent id for a witness', () => {
    const sm = market([]);
    play(sm, calm(), 'ordered');
    const same = Array.from({ length: 6 }, () => tick(0, 1_000));
    assert.deepEqual(outcomesAfter(sm, same, 'ordered'), Array(6).fill('held'));
    assert.equal(play(sm, [tick(1, 100)], 'ordered').dropped.length, 6);
    const resent = Array.from({ length: 5 }, () => tick(2, 1_000, { id: 'bad' }));
    assert.deepEqual(outcomesAfter(sm, resent, 'ordered'), ['held', ...Array(4).fill('duplicate')]);
  });

  it('starts over when the next ones speak for a third level', () => {
    const sm = market([]);
    play(sm, calm(), 'ordered');
    const run = play(sm, [tick(0, 10), tick(1, 1_000), tick(2, 10), tick(3, 1_000)], 'ordered');
    assert.deepEqual(run.outcomes, ['held', 'held', 'held', 'held']);
    assert.equal(run.dropped.length, 3);
  });

  it('holds back no more than its bound', () => {
    const sm = market([]);
    play(sm, calm(), 'ordered');
    const many = Array.from({ length: limits.heldTicks + 3 }, () => tick(0, 1_000));
    const run = outcomesAfter(sm, many, 'ordered');
    assert.equal(heldCount(sm), limits.heldTicks);
    assert.deepEqual(run.slice(-3), ['off_market', 'off_market', 'off_market']);
  });

  it('judges conflated stretches by their farthest price, and bars not at all', () => {
    const sm = market(['1m']);
    play(sm, calm(), 'ordered');
    const run = play(sm, [partial(0, 10, { high: 1_000 }), bar(0, '1m', 1_000)], 'ordered');
    assert.deepEqual(run.outcomes, ['held', 'accepted']);
  });

  it('lets prices that are not positive through', () => {
    const sm = market([]);
    play(sm, calm(), 'ordered');
    assert.deepEqual(outcomesAfter(sm, [tick(0, -37)], 'ordered'), ['accepted']);
  });

  it('calls late what time has passed by while it was held', () => {
    const sm = market([]);
    play(sm, calm(), 'live');
    play(sm, [tick(0, 50)], 'live');
    advance(sm, t0 + 5_000, []);
    const run = play(sm, [tick(6_000, 50, { source: 'b' })], 'live');
    assert.deepEqual(run.outcomes, ['accepted_released']);
    assert.deepEqual(
      run.dropped.map((one) => one.outcome),
      ['late'],
    );
  });

  it('flags or accepts without holding back when the policy says so, and still learns the new level', () => {
    const flagging = market([], { offMarket: 'flag' });
    play(flagging, calm(), 'ordered');
    const jumps = [0, 1, 2, 3, 4].map((ms) => tick(ms, 50 + ms / 10));
    const flagged: Outcome = 'accepted_off_market';
    assert.deepEqual(outcomesAfter(flagging, jumps, 'ordered'), [flagged, flagged, flagged, flagged, 'accepted']);
    const accepting = market([], { offMarket: 'accept' });
    play(accepting, calm(), 'ordered');
    assert.deepEqual(outcomesAfter(accepting, [tick(0, 1)], 'ordered'), ['accepted']);
  });
});

describe('admission: counting', () => {
  const anyItem = fc.record({
    kind: fc.constantFrom('tick', 'tick', 'tick', 'tick', 'partial', 'bar', 'forming'),
    ms: fc.integer({ min: 0, max: 20_000 }),
    price: fc.constantFrom(100, 100.5, 101, 99, 150, 151, 10, 1_000, 0.01),
    source: fc.constantFrom('a', 'a', 'a', 'b'),
    id: fc.option(fc.integer({ min: 0, max: 30 })),
    stamped: fc.boolean(),
    advanceTo: fc.option(fc.integer({ min: 0, max: 20_000 }), { freq: 12 }),
  });
  const policy = fc.constantFrom<AdmissionPolicy>('drop', 'drop', 'flag', 'accept');
  const anyPolicies = fc.record({ late: policy, duplicateId: policy, duplicateTuple: policy, offMarket: policy });

  it('ends every item in exactly one outcome, held ones pending (property)', () => {
    const property = fc.property(
      fc.array(anyItem, { maxLength: 200 }),
      anyPolicies,
      fc.constantFrom<'live' | 'ordered'>('live', 'ordered'),
      (list, policies, door) => {
        const sm = market(['1s'], policies);
        let items = 60;
        let used = play(sm, calm(), door).admitted.length;
        let refused = 0;
        for (const one of list) {
          if (one.advanceTo !== null) advance(sm, t0 + one.advanceTo, []);
          const { ms, price, source, stamped, kind } = one;
          const id = one.id === null ? {} : { id: `i${one.id}` };
          let item: MarketItem = tick(ms, price, { source, stamped, ...id });
          if (kind === 'partial') item = partial(ms, ms + 5, { source, high: price + 1, low: price, close: price });
          if (kind === 'bar' || kind === 'forming') {
            item = bar(Math.floor(ms / 1_000) * 1_000, '1s', price, { source, isClosed: kind === 'bar' });
          }
          const run = play(sm, [item], door);
          items++;
          used += run.admitted.length;
          refused += run.dropped.length;
          const [outcome] = run.outcomes;
          if (outcome !== 'held' && !run.admitted.some((admitted) => admitted.item === item)) refused++;
        }
        const counted = outcomes.reduce((sum, outcome) => sum + outcomeCount(sm, outcome), 0);
        assert.equal(counted + heldCount(sm), items);
        assert.equal(used + refused + heldCount(sm), items);
        const usedCounted = outcomes.filter((outcome) => outcome.startsWith('accepted'));
        assert.equal(
          usedCounted.reduce((sum, outcome) => sum + outcomeCount(sm, outcome), 0),
          used,
        );
        assert.deepEqual(revived(sm).counts, sm.counts);
      },
    );
    fc.assert(property, { seed: 42, numRuns: 150 });
  });

  it('never throws and never admits twice for hostile ids', () => {
    const ids = ['__proto__', 'constructor', '', ' ', '\u0000', '💥', 'a'.repeat(10_000)];
    const sm = market([]);
    const run = outcomesAfter(
      sm,
      [...ids, ...ids.filter((id) => id !== '')].map((id) => tick(0, 100, { id })),
    );
    assert.deepEqual(run.slice(0, ids.length), Array(ids.length).fill('accepted'));
    assert.deepEqual(run.slice(ids.length), Array(ids.length - 1).fill('duplicate'));
  });
});

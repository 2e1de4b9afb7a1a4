import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openMarketFile } from '../../src/adapters/files/market-file';
import { createCore } from '../../src/core/create';
import type { MarketBatch, MarketItem, Tick } from '../../src/core/domain/tick';
import { advance, isTimeDue, onBatch, outcomeTotals } from '../../src/core/engine';
import { dueMs } from '../../src/core/market/bars';
import { capture, markAllDirty, restore } from '../../src/core/snapshot';
import { type CoreState, notClocked } from '../../src/core/state';
import { batchOf, coreWith, feedIn, heardNothing, type Registration, startMs, tick } from '../helpers/core';
import { everyTick, obedient } from '../helpers/obedient';
import { reference } from '../helpers/references';

const definitions = [everyTick, obedient] as never[];
const all: Registration[] = [
  { strategyId: 'cross', strategyType: 'moving_average_crossover', timeframe: '1m', parameters: { adxThreshold: 0 } },
  { strategyId: 'break', strategyType: 'breakout_strategy', timeframe: '5m' },
  { strategyId: 'ride', strategyType: 'momentum_rider', timeframe: '50t' },
  { strategyId: 'revert', strategyType: 'mean_reversion', timeframe: '1m' },
  { strategyId: 'family', strategyType: 'trend_following', timeframe: '1m' },
  { strategyId: 'tick', strategyType: 'every_tick' },
];

async function itemsOf(path: string, limit: number): Promise<MarketItem[] | null> {
  const file = reference(`market/${path}`);
  if (file === null) return null;
  const items: MarketItem[] = [];
  for await (const batch of await openMarketFile(file, { skipBad: true })) {
    items.push(...batch.items);
    if (items.length >= limit) break;
  }
  return items.slice(0, limit);
}

function walk(count: number, seed: number, stepMs = 700): MarketItem[] {
  let state = seed;
  let price = 1_000;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, i) => {
    price = Math.max(100, Math.round(price + (random() - 0.5) * 30));
    const symbol = random() < 0.5 ? 'AAA' : 'BBB';
    return tick(symbol, startMs + i * stepMs, price, { volume: Math.round(random() * 100) / 10 });
  });
}

function stateOf(core: CoreState): string {
  markAllDirty(core);
  const { dirty } = capture(core);
  return dirty.map(({ name, bytes }) => `${name}:${Buffer.from(bytes).toString('base64')}`).join('\n');
}

describe('the core engine', () => {
  for (const [path, limit] of [
    ['tick/XRP_ETH-trades-freqtrade.json.gz', 12_477],
    ['minute/BTCPERP-1m-nautilus-202201.csv', 6_000],
    ['tick/IBM-trades-lean-20131007.csv', 8_000],
  ] as const) {
    it(`gives the same signals, ids and decisions however ${path} is cut into batches`, async () => {
      const items = await itemsOf(path, limit);
      if (items === null) return;
      const heard = [1, 7, 1_000, items.length].map((size) => {
        const core = coreWith(all, { definitions });
        return { size, ...feedIn(core, items, size), state: stateOf(core) };
      });
      const [first, ...others] = heard;
      assert.ok(first !== undefined && first.signals.length > 10, `${first?.signals.length} signals`);
      for (const other of others) {
        assert.deepEqual(other.signals, first.signals, `signals in batches of ${other.size}`);
        assert.deepEqual(other.decisions, first.decisions, `decisions in batches of ${other.size}`);
        assert.equal(other.state, first.state, `state in batches of ${other.size}`);
      }
    });
  }

  it('restored anywhere it goes on as if never stopped, bit for bit', () => {
    const items = walk(900, 11);
    const whole = coreWith(all, { definitions });
    const expected = feedIn(whole, items, 50);
    const wholeState = stateOf(whole);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: items.length }), fc.integer({ min: 1, max: 97 }), (cut, size) => {
        const before = coreWith(all, { definitions });
        const heard = feedIn(before, items.slice(0, cut), size);
        const { dirty } = capture(before);
        const after = createCore({ definitions });
        restore(after, new Map(dirty.map(({ name, bytes }) => [name, bytes])));
        feedIn(after, items.slice(cut), size, heard);
        assert.deepEqual(heard.signals, expected.signals);
        assert.deepEqual(heard.decisions, expected.decisions);
        assert.deepEqual(heard.fills, expected.fills);
        assert.equal(stateOf(after), wholeState);
      }),
      { seed: 20_260_105, numRuns: 25 },
    );
  });

  it('a snapshot holds only what changed since the one before, and the two together restore', () => {
    const core = coreWith(all, { definitions });
    const items = walk(300, 5);
    feedIn(core, items, 100);
    const chunks = new Map(capture(core).dirty.map(({ name, bytes }) => [name, bytes]));
    const named = (names: Iterable<string>) => [...names].filter((name) => !name.startsWith('why:')).sort();
    assert.deepEqual(named(chunks.keys()), ['ledger', 'rest', 'sym:AAA', 'sym:BBB']);
    assert.ok(chunks.has('why:tick'));
    onBatch(core, batchOf([tick('AAA', startMs + 400_000, 1_010)]));
    const second = capture(core).dirty;
    assert.deepEqual(named(second.map(({ name }) => name)), ['rest', 'sym:AAA']);
    for (const { name, bytes } of second) chunks.set(name, bytes);
    const again = createCore({ definitions });
    restore(again, chunks);
    assert.equal(stateOf(again), stateOf(core));
  });

  it('every item ends in exactly one counted outcome, duplicates, late and held ones included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 60 }), (seed, size) => {
        const items = walk(250, seed).map((item, i) => {
          if (item.kind !== 'tick') return item;
          if (i % 17 === 3) return { ...item, timestampMs: item.timestampMs - 60_000 };
          if (i % 23 === 5) return { ...item, price: item.price * 50 };
          return { ...item, extras: { id: `t${i % 40}` } };
        });
        const core = coreWith(all, { definitions });
        let accepted = 0;
        let dropped = 0;
        for (let at = 0; at < items.length; at += size) {
          const effects = onBatch(core, batchOf(items.slice(at, at + size)));
          accepted += effects.accepted;
          dropped += effects.dropped.length;
        }
        const counted = [...outcomeTotals(core).values()].reduce((sum, one) => sum + one, 0);
        assert.equal(counted, items.length);
        assert.equal(core.ticksTotal, items.length);
        assert.equal(accepted + dropped, items.length);
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  it('a feed with positions is taken once: rows sent again change nothing', () => {
    const items = walk(200, 3);
    const core = coreWith(all, { definitions });
    const send = (from: number, to: number) =>
      onBatch(core, batchOf(items.slice(from, to), { position: { feed: 'file', row: from + 1 } }));
    send(0, 120);
    const before = stateOf(core);
    const again = send(0, 120);
    assert.equal(again.dropped.length, 120);
    assert.equal(again.signals.length, 0);
    const outcomes = outcomeTotals(core).get('duplicate');
    assert.equal(outcomes, 120);
    assert.notEqual(before, '');
    send(60, 200);
    const once = coreWith(all, { definitions });
    onBatch(once, batchOf(items, { position: { feed: 'file', row: 1 } }));
    assert.equal(core.rows.get('file'), 200);
    assert.equal(core.symbols.get('AAA')?.ticks, once.symbols.get('AAA')?.ticks);
    assert.deepEqual(core.strategies.get('tick')?.log.ring, once.strategies.get('tick')?.log.ring);
  });

  it('positions of feeds are bounded, and the ones in use stay', () => {
    const core = coreWith([], { definitions });
    const send = (feed: string, row: number) =>
      onBatch(core, batchOf([tick('AAA', startMs + row, 100)], { position: { feed, row } }));
    send('in use', 1);
    for (let i = 0; i < 10_050; i++) {
      send(`feed ${i}`, 1);
      if (i % 1_000 === 0) send('in use', i + 2);
    }
    assert.equal(core.rows.size, 10_000);
    assert.equal(core.rows.get('in use'), 10_002);
    assert.equal(core.rows.has('feed 0'), false);
  });

  it('the funnel of every strategy adds up to its evaluations', () => {
    const core = coreWith(all, { definitions });
    feedIn(core, walk(600, 9), 100);
    capture(core);
    for (const { log, record } of core.strategies.values()) {
      const sum = log.counts.reduce((total, one) => total + one, 0);
      assert.equal(sum, log.evaluated, record.strategyId);
      assert.ok(log.evaluated > 0, record.strategyId);
    }
  });

  it('telling the time closes the bars of a quiet market; of a replayed one only when a person tells it', () => {
    const settled = (door: 'live' | 'ordered', scope: 'all' | 'live') => {
      const core = coreWith([{ strategyId: 'o', strategyType: 'obedient', timeframe: '1s' }], { definitions });
      feedIn(core, [tick('AAA', startMs + 100, 100), tick('AAA', startMs + 900, 101)], 10, heardNothing(), door);
      advance(core, startMs + 10_000, scope);
      return core.strategies.get('o')?.log.evaluated;
    };
    assert.equal(settled('live', 'live'), 1);
    assert.equal(settled('ordered', 'live'), 0);
    assert.equal(settled('ordered', 'all'), 1);
  });

  describe('beside a clock that beats', () => {
    const beatMs = 250;
    const one = [{ strategyId: 'o', strategyType: 'obedient', timeframe: '1s' }];
    /** Feeds each batch at its arrival, with the beats of the clock between; answers how many items were not used. */
    function runWith(
      core: ReturnType<typeof coreWith>,
      batches: readonly MarketBatch[],
      heard = heardNothing(),
    ): number {
      let dropped = 0;
      let nowMs = batches[0]?.arrivalMs ?? 0;
      for (const batch of batches) {
        for (; nowMs < batch.arrivalMs; nowMs += beatMs) {
          if (isTimeDue(core, nowMs)) heard.signals.push(...advance(core, nowMs, 'live').signals);
        }
        const effects = onBatch(core, batch);
        heard.signals.push(...effects.signals);
        dropped += effects.dropped.length;
      }
      return dropped;
    }
    const at = (arrivalMs: number, items: readonly Tick[]) => batchOf(items, { arrivalMs, door: 'live' });

    it('a feed that is seconds behind it loses no tick, and its last bar closes as far behind', () => {
      const lagMs = 10_000;
      const core = coreWith(one, { definitions });
      const times = Array.from({ length: 80 }, (_, i) => startMs + i * beatMs);
      assert.equal(
        runWith(
          core,
          times.map((ms) => at(ms + lagMs, [tick('AAA', ms, 100)])),
        ),
        0,
      );
      const dueAt = startMs + 20_000 + core.settings.policies.latenessMs + lagMs;
      const evaluated = (nowMs: number) => {
        advance(core, nowMs, 'live');
        assert.equal(isTimeDue(core, nowMs), false);
        return core.strategies.get('o')?.log.evaluated;
      };
      assert.deepEqual([evaluated(dueAt - 1), evaluated(dueAt)], [19, 20]);
    });

    it('what is due is remembered, and is what a look into every market says', () => {
      const core = coreWith(all, { definitions });
      const { latenessMs } = core.settings.policies;
      const looked = (nowMs: number) =>
        [...core.symbols.values()].some(
          ({ market, lagMs }) => lagMs !== notClocked && dueMs(market, nowMs - lagMs - latenessMs) > 0,
        );
      let due = 0;
      for (const [i, item] of walk(600, 11, 900).entries()) {
        onBatch(core, at(item.timestampMs + (i % 5) * 200, [item as Tick]));
        for (let nowMs = item.timestampMs; nowMs < item.timestampMs + 4_000; nowMs += beatMs) {
          assert.equal(isTimeDue(core, nowMs), looked(nowMs));
          if (!isTimeDue(core, nowMs)) continue;
          due++;
          if (i % 3 > 0) advance(core, nowMs, 'live');
        }
      }
      assert.ok(due > 100, String(due));
    });

    it('the last minutes, brought in afterwards, say the same in chunks as at once', () => {
      const items = Array.from({ length: 200 }, (_, i) => tick('AAA', startMs + i * 700, 100 + ((i * 7) % 5)));
      const arrivalMs = startMs + 200_000;
      const once = heardNothing();
      assert.equal(runWith(coreWith(one, { definitions }), [at(arrivalMs, items)], once), 0);
      assert.ok(once.signals.length > 0);
      for (const size of [7, 50]) {
        const heard = heardNothing();
        const chunks = Array.from({ length: Math.ceil(200 / size) }, (_, i) =>
          at(arrivalMs + i * beatMs, items.slice(i * size, (i + 1) * size)),
        );
        assert.equal(runWith(coreWith(one, { definitions }), chunks, heard), 0, `${size}`);
        assert.deepEqual(heard.signals, once.signals, `${size}`);
      }
    });
  });

  it('one symbol more than the limit makes room among those that hold no position', () => {
    const core = coreWith([], { definitions });
    const many = Array.from({ length: 10_050 }, (_, i) => tick(`S${i}`, startMs + i, 100));
    onBatch(core, batchOf(many));
    assert.ok(core.symbols.size <= 10_000);
    assert.equal(core.symbols.has('S0'), false);
    assert.equal(core.symbols.has('S10049'), true);
    assert.equal(core.evictedTotal, 100);
  });
});

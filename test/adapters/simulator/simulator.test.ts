import assert from 'node:assert/strict';
import { createSimulator, type SimulatorOptions } from '../../../src/adapters/simulator/simulator';
import type { Bar } from '../../../src/core/domain/bar';
import type { Tick } from '../../../src/core/domain/tick';
import { type IntentSlot, stepCode } from '../../../src/core/strategies/strategy';
import { movingAverageCrossover } from '../../../src/core/strategies/trend-following/moving-average-crossover';
import { canonicalSymbol } from '../../../src/wire/symbol';

const startMs = Date.UTC(2026, 0, 1);

function bar(ticks: readonly Tick[], symbol: string, openMs: number): Bar | null {
  const prices = ticks.map((tick) => tick.price);
  const first = prices[0];
  const last = prices[prices.length - 1];
  if (first === undefined || last === undefined) return null;
  return {
    symbol,
    timeframe: '1s',
    openMs,
    endMs: openMs + 1_000,
    open: first,
    high: Math.max(...prices),
    low: Math.min(...prices),
    close: last,
    volume: ticks.reduce((sum, tick) => sum + tick.volume, 0),
    ticks: ticks.length,
    conflated: false,
  };
}

/** Seconds after the first two minutes until the default crossover proposes on some symbol. */
function secondsToFirstProposal(seed: number, secondsMax: number): number {
  const simulator = createSimulator({ seed, startMs });
  const parameters = movingAverageCrossover.parameters.parse({});
  const context = { exposure: 0, entryPrice: 0, age: 0, trendT: 0, volatilityRatio: 1 };
  const states = new Map<string, ReturnType<typeof movingAverageCrossover.create>>();
  for (let second = 0; second < 120 + secondsMax; second++) {
    const openMs = startMs + second * 1_000;
    const ticks = simulator.until(openMs + 999);
    for (const symbol of new Set(ticks.map((tick) => tick.symbol))) {
      const state = states.get(symbol) ?? movingAverageCrossover.create(parameters);
      states.set(symbol, state);
      const own = bar(
        ticks.filter((tick) => tick.symbol === symbol),
        symbol,
        openMs,
      );
      const intent = { confidence: 0 } as IntentSlot;
      const code = own ? movingAverageCrossover.step(state, own, parameters, context, intent) : stepCode.HOLD;
      const speaks = code === stepCode.PROPOSE && intent.confidence >= parameters.confidenceThreshold;
      if (speaks && second >= 120) return second - 119;
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe('the market simulator', () => {
  const options: SimulatorOptions = { seed: 7, startMs };

  it('gives the same ticks for the same options, whatever the portions, and others for another seed', () => {
    const whole = createSimulator(options).next(1_000);
    const simulator = createSimulator(options);
    const pieces = [1, 2, 97, 900].flatMap((count) => simulator.next(count));
    assert.deepEqual(pieces, whole);
    assert.notDeepEqual(createSimulator({ ...options, seed: 8 }).next(1_000), whole);
    assert.notEqual(createSimulator({ ...options, seed: 8 }).feed, simulator.feed);
  });

  it('goes on from a saved state, and from a row, as if it had never stopped', () => {
    const simulator = createSimulator(options);
    simulator.next(777);
    const state: unknown = JSON.parse(JSON.stringify(simulator.state()));
    const expected = simulator.next(500);
    const restored = createSimulator(options);
    restored.restore(state as ReturnType<typeof simulator.state>);
    assert.deepEqual(restored.next(500), expected);
    assert.equal(restored.row, 1_277);
    const skipped = createSimulator(options);
    skipped.skipTo(777);
    assert.deepEqual(skipped.next(500), expected);
  });

  it('gives a symbol the same ticks whichever others there are', () => {
    const of = (symbols: readonly string[]) =>
      createSimulator({ ...options, symbols })
        .until(startMs + 20_000)
        .filter((tick) => tick.symbol === 'SIM:A');
    assert.deepEqual(of(['SIM:A']), of(['SIM:B', 'SIM:A', 'SIM:C']));
  });

  it('gives valid quotes around the price, in order of time, with realistic intervals', () => {
    const simulator = createSimulator({ ...options, ticksPerS: 10 });
    const ticks = Array.from({ length: 20 }, () => simulator.next(1_000)).flat();
    let before = startMs;
    for (const tick of ticks) {
      assert.ok(tick.timestampMs >= before && Number.isInteger(tick.timestampMs));
      assert.ok(tick.quote && tick.quote.bid > 0 && tick.quote.bid <= tick.price && tick.price <= tick.quote.ask);
      assert.ok(tick.volume > 0 && Number.isFinite(tick.volume));
      assert.equal(canonicalSymbol(tick.symbol), tick.symbol);
      before = tick.timestampMs;
    }
    const seconds = (before - startMs) / 1_000;
    const rate = ticks.length / seconds / 3;
    assert.ok(rate > 9 && rate < 11, `${rate} ticks per second and symbol`);
    const gaps = ticks.filter((tick) => tick.symbol === 'SIM:BTC').map((tick) => tick.timestampMs);
    assert.ok(Math.max(...gaps.slice(1).map((ms, i) => ms - (gaps[i] ?? 0))) > 400, 'no pause in it');
  });

  it('goes through every regime, and only through the ones that are asked for', () => {
    const seen = (regimes?: readonly ('calm' | 'trend_up')[]) => {
      const simulator = createSimulator({ ...options, symbols: ['SIM:A'], ...(regimes ? { regimes } : {}) });
      const names = new Set<string>();
      for (let i = 0; i < 200; i++) {
        simulator.next(100);
        names.add(simulator.regime('SIM:A') ?? 'none');
      }
      return [...names].sort();
    };
    assert.deepEqual(seen(), ['calm', 'stress', 'trend_down', 'trend_up', 'volatile']);
    assert.deepEqual(seen(['calm', 'trend_up']), ['calm', 'trend_up']);
  });

  it('still shows a sane price after a day', () => {
    const simulator = createSimulator({ ...options, symbols: ['SIM:BTC'], ticksPerS: 0.5 });
    let tick: Tick | undefined;
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    while (simulator.nextMs < startMs + 86_400_000) {
      tick = simulator.next(1)[0];
      low = Math.min(low, tick?.price ?? low);
      high = Math.max(high, tick?.price ?? high);
    }
    assert.ok(low > 30_000 && high < 120_000, `${low} to ${high}`);
  });

  it('gives the default crossover on 1-second bars a signal within 30 s, once warm, on 98 of 100 seeds', () => {
    const seconds = Array.from({ length: 100 }, (_, seed) => secondsToFirstProposal(seed, 30));
    const slow = seconds.filter((value) => value > 30);
    assert.ok(slow.length <= 2, `${slow.length} of 100 seeds were slower`);
  });

  it('refuses options out of range, naming the field', () => {
    const over = Array.from({ length: 101 }, (_, i) => `SIM:${i}`);
    for (const [field, bad] of [
      ['seed', { seed: 0.5 }],
      ['startMs', { startMs: Number.NaN }],
      ['symbols', { symbols: [] }],
      ['symbols', { symbols: over }],
      ['symbols', { symbols: ['A', 'A'] }],
      ['ticksPerS', { ticksPerS: 0 }],
      ['ticksPerS', { ticksPerS: 1_001 }],
      ['dwellScale', { dwellScale: 0 }],
      ['regimes', { regimes: [] }],
    ] as const)
      assert.throws(() => createSimulator({ ...options, ...bad }), {
        code: 'ValueError',
        message: new RegExp(`^${field} `),
      });
    assert.equal(createSimulator({ ...options, symbols: over.slice(1) }).next(1).length, 1);
    assert.throws(() => createSimulator(options).restore({ row: 1, symbols: {} }), { code: 'ValueError' });
  });
});

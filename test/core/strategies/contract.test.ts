import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Bar } from '../../../src/core/domain/bar';
import { commonParameters } from '../../../src/core/strategies/common-parameters';
import { builtInStrategies } from '../../../src/core/strategies/registry';
import {
  type BarStrategyDefinition,
  type CommonParameters,
  type StateShape,
  stepCode,
  type TickStrategyDefinition,
} from '../../../src/core/strategies/strategy';
import {
  checkStrategy,
  strategyContract as publicContract,
  type StrategySource,
  sampleBars,
} from '../../../src/testing';
import { strategyContract } from '../../contract/strategy.contract';
import { marketFiles } from '../../helpers/market-bars';
import { answers } from '../../helpers/strategy-bars';

const markets: Readonly<Record<string, readonly Bar[]>> = {
  'a made-up market': sampleBars(700),
  'SPY 2001–2004': marketFiles.spy()?.slice(0, 700) ?? [],
  'GOOG 2008–2010': marketFiles.goog()?.slice(900, 1_600) ?? [],
  'BTC-PERP minutes': marketFiles.btc()?.slice(0, 700) ?? [],
};

for (const [market, bars] of Object.entries(markets)) {
  if (bars.length === 0) continue;
  for (const definition of builtInStrategies.values()) {
    strategyContract(`${definition.type} on ${market}`, definition, bars);
  }
}
for (const method of ['bollinger', 'rsi']) {
  const definition = builtInStrategies.get('mean_reversion');
  if (definition) strategyContract(`mean_reversion by ${method}`, definition, sampleBars(700), { method });
}

describe('with its defaults', () => {
  for (const definition of builtInStrategies.values()) {
    for (const market of ['spy', 'btc'] as const) {
      it(`${definition.type} speaks on ${market}, in both directions, and strongly enough`, function () {
        const bars = marketFiles[market]()?.slice(0, 3_000);
        if (bars === undefined) return this.skip();
        const { confidenceThreshold } = definition.parameters.parse({}) as CommonParameters;
        const entries = answers(definition, bars).flatMap((one) =>
          one.intent && one.intent.side !== 0 ? [one.intent] : [],
        );
        const strong = entries.filter((intent) => intent.confidence >= confidenceThreshold);
        assert.ok(strong.some((intent) => intent.side === 1) && strong.some((intent) => intent.side === -1));
        assert.equal(strong.length, entries.length);
      });
    }
  }
});

/** Buys and sells by turns, every `every` bars: keeps the contract. */
function honest(changes: Partial<BarStrategyDefinition> = {}): BarStrategyDefinition {
  return {
    type: 'planted',
    family: 'test',
    description: 'Buys and sells by turns.',
    parameters: z.object(commonParameters()),
    tier: 'tactical',
    data: 'bars',
    warmup: () => 3,
    create: () => ({ n: 0, last: 0, inner: { window: new Float64Array(4) } }),
    step(state, bar, _, __, intent) {
      state.n = (state.n as number) + 1;
      if (state.n < 3) return stepCode.WARMING;
      const rose = bar.close > (state.last as number);
      state.last = bar.close;
      if (state.n % 7 !== 0) return stepCode.HOLD;
      intent.side = rose ? 1 : -1;
      intent.confidence = 0.5;
      intent.a = bar.close;
      return stepCode.PROPOSE;
    },
    reasons: [(close) => `close ${close}`],
    ...changes,
  };
}

/** Names of the promises that it breaks. */
function broken(source: StrategySource): readonly string[] {
  return checkStrategy(source, sampleBars(400))
    .filter((check) => !check.ok)
    .map((check) => check.name);
}

const { step: honestStep } = honest();

describe('the contract catches', () => {
  it('nothing in a strategy that keeps it', () => {
    assert.deepEqual(broken(honest()), []);
    assert.equal(publicContract(honest()).length, 11);
  });

  it('a strategy that knows the close to come', () => {
    const leaky = (bars: readonly Bar[]): BarStrategyDefinition =>
      honest({
        step(state, bar, parameters, context, intent) {
          const code = honestStep(state, bar, parameters, context, intent);
          const tomorrow = bars[state.n as number]?.close ?? bar.close;
          intent.side = tomorrow > bar.close ? 1 : -1;
          return code;
        },
      });
    assert.deepEqual(broken(leaky), ['it does not look ahead']);
    assert.throws(() => publicContract(leaky), /it does not look ahead: with \d+ bars known bar \d+ was answered/);
  });

  it('one that remembers the bars of the run before', () => {
    const seen = new Map<number, number>();
    const leaky = honest({
      step(state, bar, parameters, context, intent) {
        const code = honestStep(state, bar, parameters, context, intent);
        seen.set(bar.openMs, bar.close);
        intent.side = (seen.get(bar.endMs) ?? 0) > bar.close ? 1 : -1;
        return code;
      },
    });
    assert.ok(broken(leaky).includes('the same bars give the same decisions'));
  });

  it('one whose state is not plain data', () => {
    const closed = 'its state is plain, finite and of one shape';
    const seen = () => ({ n: 0, last: 0, seen: new Map() }) as unknown as StateShape;
    assert.ok(broken(honest({ create: seen })).includes(closed));
    const grows = honest({
      step(state, bar, parameters, context, intent) {
        state[`bar${bar.openMs}`] = bar.close;
        return honestStep(state, bar, parameters, context, intent);
      },
    });
    assert.ok(broken(grows).includes(closed));
    assert.ok(broken(honest({ create: () => ({ n: 0, last: Number.NaN }) })).includes(closed));
  });

  it('one that keeps what matters outside of its state', () => {
    let n = 0;
    const outside = honest({
      create: () => {
        n = 0;
        return { n: 0, last: 0 };
      },
      step(state, bar, parameters, context, intent) {
        state.n = n++;
        return honestStep(state, bar, parameters, context, intent);
      },
    });
    const names = broken(outside);
    assert.ok(names.includes('restored from its bytes it decides as if never stopped'));
    assert.ok(names.includes('two instances share nothing'));
  });

  it('one that divides by what can be nothing', () => {
    const divides = honest({
      step(state, bar, parameters, context, intent) {
        state.ratio = bar.close / bar.volume;
        return honestStep(state, bar, parameters, context, intent);
      },
      create: () => ({ n: 0, last: 0, ratio: 0 }),
    });
    assert.deepEqual(broken(divides), ['its state stays finite in a market that stands still, leaps or has no volume']);
  });

  it('one that says it is warm sooner or later than it is', () => {
    assert.deepEqual(broken(honest({ warmup: () => 2 })), ['it warms up for as long as it says']);
    assert.deepEqual(broken(honest({ warmup: () => 4 })), ['it warms up for as long as it says']);
  });

  it('one that is too sure, or lays its stop on the wrong side', () => {
    const writes = (change: (intent: { confidence: number; stopLoss: number }, close: number) => void) =>
      honest({
        step(state, bar, parameters, context, intent) {
          const code = honestStep(state, bar, parameters, context, intent);
          change(intent, bar.close);
          return code;
        },
      });
    const sure = writes((intent) => {
      intent.confidence = 1.2;
    });
    const wrong = writes((intent, close) => {
      intent.stopLoss = close;
    });
    assert.deepEqual(broken(sure), ['its proposals are in range']);
    assert.deepEqual(broken(wrong), ['its proposals are in range']);
  });

  it('one whose reasons cannot be read, and one without bounds or common parameters', () => {
    assert.deepEqual(broken(honest({ reasons: [() => `close ${Number.NaN}`] })), ['its reasons can be read']);
    const unbounded = z.object({ ...commonParameters(), speed: z.number().default(1).describe('Speed.') });
    assert.deepEqual(broken(honest({ parameters: unbounded })), ['it describes itself and its parameters']);
    const bare = z.object({ speed: z.number().min(0).max(1).default(1).describe('Speed.') });
    const lacking = honest({ parameters: bare as unknown as BarStrategyDefinition['parameters'] });
    assert.deepEqual(broken(lacking), ['it describes itself and its parameters']);
  });

  it('one that changes the bars it is given', () => {
    const writes = honest({
      step(state, bar, parameters, context, intent) {
        (bar as { close: number }).close = 0;
        return honestStep(state, bar, parameters, context, intent);
      },
    });
    assert.deepEqual(broken(writes), ['it leaves the bars as they are']);
  });
});

describe('the contract of a tick type', () => {
  const ticks = (last: (instances: { desired: number }) => number): TickStrategyDefinition => ({
    ...(honest() as unknown as TickStrategyDefinition),
    data: 'ticks',
    run(instances, tick, out) {
      instances.forEach((one, i) => {
        one.state.n = (one.state.n as number) + 1;
        const side = tick.price > 100 ? 1 : -1;
        if (one.state.n < 3 || side === last(one)) return;
        one.desired = side;
        out.slot.side = side;
        out.slot.confidence = 0.6;
        out.push(i);
      });
    },
  });

  it('is kept by one that proposes on a change', () => {
    assert.deepEqual(broken(ticks((one) => one.desired)), []);
  });
});

/** A move larger than the usual one, while volatility grows. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = { n: number; last: number; desired: number; a: number; short: number; long: number; mean: number };

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), short: 0, long: 0, mean: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const { a } = state;
  const change = price - state.last;
  const size = change > 0 ? change : -change;
  state.short += a * (size - state.short);
  state.long += (a / 8) * (size - state.long);
  state.mean += a * (price - state.mean);
  if (state.short < 1.6 * state.long) return 0;
  return price > state.mean + 12 * state.long ? 1 : price < state.mean - 12 * state.long ? -1 : 0;
}

function see(state: State, price: number, p: Parameters): number {
  if (state.n === 0) {
    state.last = price;
    state.mean = price;
  }
  state.n++;
  const side = look(state, price);
  state.last = price;
  return state.n < p.period ? 0 : side;
}

const common = {
  family: 'bench',
  description: 'A move larger than the usual one, while volatility grows.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const volatilityBreakTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_volatility_break',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.short, state.long);
    }
  },
};

export const volatilityBreakBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_volatility_break_bars',
  data: 'bars',
  step(state, bar, p, _context, intent) {
    const side = see(state, bar.close, p);
    if (state.n < p.period) return stepCode.WARMING;
    if (side === 0 || side === state.desired) return stepCode.HOLD;
    state.desired = side;
    intent.side = side;
    intent.score = side * 0.8;
    intent.confidence = 0.9;
    intent.volatilityRatio = 0.01;
    return stepCode.PROPOSE;
  },
};

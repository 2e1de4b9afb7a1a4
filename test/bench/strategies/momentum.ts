/** The average return against its noise. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = { n: number; last: number; desired: number; a: number; drift: number; noise: number; fast: number };

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), drift: 0, noise: 0, fast: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const { a } = state;
  const change = (price - state.last) / price;
  state.drift += a * (change - state.drift);
  state.noise += a * ((change > 0 ? change : -change) - state.noise);
  state.fast += a * (price - state.fast);
  const ratio = state.drift / (state.noise + 1e-12);
  return ratio > 0.35 ? 1 : ratio < -0.35 ? -1 : 0;
}

function see(state: State, price: number, p: Parameters): number {
  if (state.n === 0) {
    state.last = price;
    state.fast = price;
  }
  state.n++;
  const side = look(state, price);
  state.last = price;
  return state.n < p.period ? 0 : side;
}

const common = {
  family: 'bench',
  description: 'The average return against its noise.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const momentumTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_momentum',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.drift, state.noise);
    }
  },
};

export const momentumBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_momentum_bars',
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

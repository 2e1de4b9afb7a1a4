/** Against a price far from its mean, in deviations. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = { n: number; last: number; desired: number; a: number; mean: number; variance: number };

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), mean: 0, variance: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const { a } = state;
  const apart = price - state.mean;
  state.mean += a * apart;
  state.variance = (1 - a) * (state.variance + a * apart * apart);
  const z = apart / Math.sqrt(state.variance + 1e-12);
  return z > 4 ? -1 : z < -4 ? 1 : 0;
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
  description: 'Against a price far from its mean, in deviations.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const zReversionTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_z_reversion',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.mean, state.variance);
    }
  },
};

export const zReversionBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_z_reversion_bars',
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

/** Beyond a channel that decays towards the price. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = { n: number; last: number; desired: number; a: number; high: number; low: number };

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), high: 0, low: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const a = state.a / 4;
  const side = price > 1.0005 * state.high ? 1 : price < 0.9995 * state.low ? -1 : 0;
  state.high = price > state.high ? price : state.high + a * (price - state.high);
  state.low = price < state.low ? price : state.low + a * (price - state.low);
  return side;
}

function see(state: State, price: number, p: Parameters): number {
  if (state.n === 0) {
    state.last = price;
    state.high = price;
    state.low = price;
  }
  state.n++;
  const side = look(state, price);
  state.last = price;
  return state.n < p.period ? 0 : side;
}

const common = {
  family: 'bench',
  description: 'Beyond a channel that decays towards the price.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const channelBreakTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_channel_break',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.high, state.low);
    }
  },
};

export const channelBreakBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_channel_break_bars',
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

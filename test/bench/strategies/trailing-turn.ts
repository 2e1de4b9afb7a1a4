/** Turns when the price has come back so far from its last extreme. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = { n: number; last: number; desired: number; a: number; extreme: number; side: number; size: number };

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), extreme: 0, side: 0, size: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const { a } = state;
  const change = price - state.last;
  state.size += a * ((change > 0 ? change : -change) - state.size);
  const back = 60 * state.size;
  if (state.side >= 0) {
    if (price > state.extreme) state.extreme = price;
    else if (price < state.extreme - back) {
      state.side = -1;
      state.extreme = price;
    }
  } else if (price < state.extreme) state.extreme = price;
  else if (price > state.extreme + back) {
    state.side = 1;
    state.extreme = price;
  }
  return state.side;
}

function see(state: State, price: number, p: Parameters): number {
  if (state.n === 0) {
    state.last = price;
    state.extreme = price;
  }
  state.n++;
  const side = look(state, price);
  state.last = price;
  return state.n < p.period ? 0 : side;
}

const common = {
  family: 'bench',
  description: 'Turns when the price has come back so far from its last extreme.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const trailingTurnTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_trailing_turn',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.extreme, state.size);
    }
  },
};

export const trailingTurnBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_trailing_turn_bars',
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

/** A crossing that the RSI must agree with. */
import type { BarStrategyDefinition, TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { stepCode } from '../../../src/core/strategies/strategy';
import { alpha, type Parameters, parameters, put, reasons } from './shared';

type State = {
  n: number;
  last: number;
  desired: number;
  a: number;
  fast: number;
  slow: number;
  gain: number;
  loss: number;
};

function create(p: Parameters): State {
  return { n: 0, last: 0, desired: 0, a: alpha(p.period), fast: 0, slow: 0, gain: 0, loss: 0 };
}

/** The side wanted, 0 for none in particular. */
function look(state: State, price: number): number {
  const { a } = state;
  const change = price - state.last;
  state.fast += a * (price - state.fast);
  state.slow += (a / 4) * (price - state.slow);
  state.gain += a * (Math.max(change, 0) - state.gain);
  state.loss += a * (Math.max(-change, 0) - state.loss);
  const strength = state.gain / (state.gain + state.loss);
  if (state.fast > 1.001 * state.slow && strength > 0.55) return 1;
  return state.fast < 0.999 * state.slow && strength < 0.45 ? -1 : 0;
}

function see(state: State, price: number, p: Parameters): number {
  if (state.n === 0) {
    state.last = price;
    state.fast = price;
    state.slow = price;
  }
  state.n++;
  const side = look(state, price);
  state.last = price;
  return state.n < p.period ? 0 : side;
}

const common = {
  family: 'bench',
  description: 'A crossing that the RSI must agree with.',
  parameters,
  tier: 'fast' as const,
  warmup: (p: Parameters) => p.period,
  create,
  reasons,
};

export const emaRsiTicks: TickStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_ema_rsi',
  data: 'ticks',
  run(instances, tick, out) {
    const { price } = tick;
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      const { state } = one;
      const side = see(state, price, one.parameters);
      if (side === 0 || side === one.desired) continue;
      one.desired = side;
      put(out, i, side, state.fast, state.slow);
    }
  },
};

export const emaRsiBars: BarStrategyDefinition<Parameters, State> = {
  ...common,
  type: 'bench_ema_rsi_bars',
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

/** Proposes something on every so-manieth tick, to give latencies enough signals to be measured on. */
import type { TickStrategyDefinition } from '../../../src/core/strategies/strategy';
import { type Parameters, parameters, put, reasons } from './shared';

type State = { n: number };

export const metronome: TickStrategyDefinition<Parameters, State> = {
  family: 'bench',
  type: 'bench_metronome',
  description: 'Long and flat in turn, by counting.',
  parameters,
  tier: 'fast',
  warmup: () => 1,
  create: () => ({ n: 0 }),
  reasons,
  data: 'ticks',
  run(instances, tick, out) {
    for (let i = 0; i < instances.length; i++) {
      const one = instances[i] as (typeof instances)[number];
      one.state.n++;
      if (one.state.n % one.parameters.period !== 0) continue;
      one.desired = one.desired === 1 ? 0 : 1;
      put(out, i, one.desired, tick.price, one.state.n);
    }
  },
};

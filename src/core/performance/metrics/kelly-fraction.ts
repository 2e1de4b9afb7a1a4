import type { Metric } from './metric';
import { payoffRatio } from './payoff-ratio';

/** J. L. Kelly, "A New Interpretation of Information Rate" (1956). Half of it is already bold. */
export const kellyFraction: Metric = {
  name: 'kellyFraction',
  unit: 'fraction',
  need: 'money',
  describe: 'W − L / payoff ratio: the stake that grows fastest if outcomes were two points; not what sizing uses',
  value: (figures) => {
    const payoff = payoffRatio.value(figures);
    if (typeof payoff === 'string') return payoff;
    const { trades, wins, losses } = figures.trades;
    return wins / trades - losses / trades / payoff;
  },
};

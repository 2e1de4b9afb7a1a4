import { isFlat } from '../figures';
import { sampleOf } from '../shape';
import { minimumTrackRecord } from '../sharpe-inference';
import type { Metric } from './metric';

/** Longer than the record: the Sharpe ratio is not shown yet. */
export const minimumTrackRecordLength: Metric = {
  name: 'minimumTrackRecordLength',
  unit: 'periods',
  need: 'days',
  describe: 'daily observations needed to say with 95 % confidence that the Sharpe ratio is above 0',
  isSlow: true,
  value: ({ days }) => {
    if (days.n < 3) return days.n === 0 ? 'no_trades' : 'too_few';
    if (isFlat(days.deviation, days.mean)) return 'zero_variance';
    return minimumTrackRecord(sampleOf(days)) ?? 'no_edge';
  },
};

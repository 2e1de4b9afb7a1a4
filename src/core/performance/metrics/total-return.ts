import type { Metric } from './metric';

/** What the capital grew by. */
export const totalReturn: Metric = {
  name: 'totalReturn',
  unit: 'fraction',
  need: 'money',
  describe: 'equity at the end / at the start − 1; on a fixed base Σ P / capital',
  value: ({ equity }) => equity.totalReturn ?? 'no_capital_base',
};

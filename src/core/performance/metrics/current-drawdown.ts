import type { Metric } from './metric';

/** 0 at a new peak. */
export const currentDrawdown: Metric = {
  name: 'currentDrawdown',
  unit: 'fraction',
  need: 'drawdown',
  describe: 'how far equity is below its peak now, as a positive fraction; realised',
  value: ({ equity }) => equity.currentDrawdown ?? 'no_capital_base',
};

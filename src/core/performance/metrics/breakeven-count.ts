import type { Metric } from './metric';

/** Trades that neither earned nor lost. */
export const breakevenCount: Metric = {
  name: 'breakevenCount',
  unit: 'count',
  need: 'counts',
  describe: 'trades with P = 0',
  value: ({ trades }) => trades.trades - trades.wins - trades.losses,
};

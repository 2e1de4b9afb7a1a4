/** What two ways to one state must agree in, as text that can be compared, and the money in it as people read it. */
import { type Money, moneyText } from '../../core/domain/money';
import type { Tally } from '../../core/performance/tally';
import type { CoreState } from '../../core/state';

const plain = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === 'bigint') return moneyText(one);
    return one instanceof Map ? [...one] : one;
  });

/** The registry, the totals of the ledger and the audit trail, each as text. */
export function comparable(core: CoreState) {
  const { records, ledger, audit } = core;
  const tallies = [['', ledger.all] as const, ...ledger.strategies].map(([strategyId, books]) => [
    strategyId,
    [...books].map(([mode, { tally }]) => [mode, sums(tally)]),
  ]);
  return { registry: plain(records), ledger: plain(tallies), audit: plain(audit) };
}

/** Sums in the order of their names: which currency came first is no part of a total. */
function sums({ currencies, ...counts }: Tally) {
  return { ...counts, currencies: [...currencies].sort(([a], [b]) => (a < b ? -1 : 1)) };
}

/** Net P&L of all strategies, exact. Real and simulated executions are never added up. */
export interface TotalPnl {
  readonly mode: string;
  readonly currency: string;
  readonly pnl: string;
}

export function totalPnl({ ledger }: CoreState): readonly TotalPnl[] {
  return [...ledger.all].flatMap(([mode, { tally }]) =>
    [...tally.currencies.values()].map(({ currency, sumWins, sumLosses }) => {
      const sum: Money = sumWins + sumLosses;
      return { mode, currency, pnl: moneyText(sum) };
    }),
  );
}

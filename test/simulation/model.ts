/** What must be true after everything, kept as simply as can be: only what an engine acknowledged stands in here. */
import assert from 'node:assert/strict';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { StrategyState } from '../../src/core/domain/strategy';
import type { ChainHead } from '../../src/core/learning/audit';
import { ledgerView } from '../../src/core/performance/ledger';
import type { CoreState } from '../../src/core/state';
import { brokenAt } from '../../src/live/audit-chain';

interface ModelStrategy {
  readonly type: string;
  /** Confidence threshold and state of every version. */
  readonly versions: { readonly threshold: number; readonly state: StrategyState }[];
  archived: boolean;
}

interface ModelExecution {
  readonly strategyId: string;
  readonly units: bigint;
  readonly success: boolean;
}

const perUnit = 1e8;

export class Model {
  readonly strategies = new Map<string, ModelStrategy>();
  /** By event id; those without an id of their own under a number. */
  readonly executions = new Map<string, ModelExecution>();
  readonly adaptations = new Map<string, { readonly strategyId: string; undone: boolean }>();
  frozen = false;
  private anonymous = 0;

  active(): string[] {
    return [...this.strategies].filter(([, one]) => !one.archived).map(([id]) => id);
  }

  registered(strategyId: string, type: string, threshold: number): void {
    const known = this.strategies.get(strategyId);
    assert.equal(known, undefined, `"${strategyId}" was given twice`);
    this.strategies.set(strategyId, { type, versions: [{ threshold, state: 'active' }], archived: false });
  }

  changed(strategyId: string, version: number, threshold: number, state: StrategyState): void {
    const { versions } = this.of(strategyId);
    assert.equal(version, versions.length + 1, `version of ${strategyId}`);
    versions.push({ threshold, state });
  }

  current(strategyId: string): { readonly threshold: number; readonly state: StrategyState } {
    const { versions } = this.of(strategyId);
    return versions[versions.length - 1] as (typeof versions)[number];
  }

  of(strategyId: string): ModelStrategy {
    const known = this.strategies.get(strategyId);
    assert.ok(known, `no ${strategyId}`);
    return known;
  }

  executed(strategyId: string, executionId: string | null, pnl: number, success: boolean, isNew: boolean): void {
    const key = executionId === null ? `#${this.anonymous++}` : `execution:${strategyId}:${executionId}`;
    assert.equal(this.executions.has(key), !isNew, `${key} is ${isNew ? 'told new' : 'told a duplicate'}`);
    this.executions.set(key, { strategyId, units: BigInt(Math.round(pnl * perUnit)), success });
  }

  /** The log holds every execution once, and no other. */
  checkLog(events: readonly LogEvent[]): void {
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length, 'an event stands in the log twice');
    const tracked = events.filter(({ type }) => type === 'execution_tracked');
    assert.equal(tracked.length, this.executions.size, 'executions in the log');
    const ids = new Set(tracked.map(({ id }) => id));
    for (const key of this.executions.keys()) if (!key.startsWith('#')) assert.ok(ids.has(key), `${key} was lost`);
    let head: ChainHead = { version: 0, hash: '' };
    for (const event of events) {
      assert.equal(brokenAt(head, event), null, `event ${event.seq} in the chain`);
      head = event.link ?? head;
    }
  }

  /** The core knows what the model knows, to the last unit. */
  checkCore(core: CoreState): void {
    assert.deepEqual([...core.records.byId.keys()].sort(), [...this.strategies.keys()].sort());
    for (const [strategyId, { versions, archived, type }] of this.strategies) {
      const record = core.records.byId.get(strategyId);
      assert.equal(record?.archived, archived, strategyId);
      assert.equal(record?.strategyType, type, strategyId);
      const known = record?.versions.map(({ version, parameters, state }) => [
        version,
        parameters.confidenceThreshold,
        state,
      ]);
      assert.deepEqual(
        known,
        versions.map(({ threshold, state }, i) => [i + 1, threshold, state]),
        strategyId,
      );
      this.checkLedger(core, strategyId);
    }
    const { entries, frozen } = core.audit;
    const undone = [...entries].map(([id, { revertedBy }]) => [id, revertedBy !== null]);
    assert.deepEqual(
      undone,
      [...this.adaptations].map(([id, one]) => [id, one.undone]),
    );
    assert.equal(frozen, this.frozen);
  }

  private checkLedger(core: CoreState, strategyId: string): void {
    const mine = [...this.executions.values()].filter((one) => one.strategyId === strategyId);
    const { book } = ledgerView(core.ledger, strategyId);
    const counted = book?.tally.currencies.get('USD');
    const total = mine.reduce((sum, { units }) => sum + units, 0n);
    assert.equal(book?.tally.executions ?? 0, mine.length, `executions of ${strategyId}`);
    assert.equal(book?.tally.successes ?? 0, mine.filter(({ success }) => success).length, strategyId);
    assert.equal((counted?.sumWins ?? 0n) + (counted?.sumLosses ?? 0n), total, `P&L of ${strategyId}`);
  }
}

import assert from 'node:assert/strict';
import { EngineError } from '../../src/core/domain/errors';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { VerifiableStore } from '../../src/live/keeping/verifiable';
import { verifyStore } from '../../src/live/keeping/verify';
import type { Snapshot } from '../../src/live/ports';
import { codeOf, type Living, living, obedientOn } from '../helpers/living';

async function* none(): AsyncGenerator<never> {}

/** A store of these events and this snapshot, in which everything else is well. */
function storeOf(events: readonly LogEvent[], snapshot: Snapshot | null, more: Partial<VerifiableStore> = {}) {
  const versions = new Map(events.map(({ aggregate, aggregateVersion }) => [aggregate, aggregateVersion]));
  for (const { link } of events) if (link !== undefined) versions.set(link.aggregate, link.version);
  async function* sets() {
    if (snapshot !== null) yield { name: 'set', chunks: snapshot.chunks.size, snapshot, problem: null };
  }
  return {
    log: {
      read: async (after: number, limit: number) => events.slice(after, after + limit),
      lastSeq: async () => events.length,
    },
    versionOf: async (aggregate: string) => versions.get(aggregate) ?? 0,
    forgotten: async () => null,
    sets,
    tape: none,
    close: async () => undefined,
    ...more,
  };
}

describe('checking what is kept', () => {
  let life: Living;
  const newest = async () => (await life.disk.open().snapshots.load()).snapshot as Snapshot;
  const note = async (check: string, store: VerifiableStore) =>
    (await verifyStore(store)).checks.find((one) => one.check === check);

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o'));
    await life.engine.freeze(true);
    await life.engine.snapshot();
    await life.engine.freeze(false);
  });
  afterEach(() => life.handles.kill());

  it('the state in the snapshot and the rest of the log is that of the whole log', async () => {
    const report = await verifyStore(storeOf(life.disk.log(), await newest()));
    assert.equal(report.sound, true);
    assert.deepEqual([report.events, report.strategies, report.totalPnl], [3, 1, []]);
  });

  it('a snapshot of another fold version is not compared, and that is said', async () => {
    const snapshot = await newest();
    const other = { ...snapshot, meta: { ...snapshot.meta, foldVersion: 1 } };
    const row = await note('registry', storeOf(life.disk.log(), other));
    assert.deepEqual([row?.problem, row?.note], [null, 'not compared: the snapshot is of fold version 1']);
    const without = await note('audit', storeOf(life.disk.log(), null));
    assert.equal(without?.note, 'not compared: there is no whole snapshot to compare with');
  });

  it('each of registry, ledger and audit is compared by itself', async () => {
    const other = await living();
    await other.engine.register(obedientOn('o', { name: 'another' }));
    await other.engine.freeze(true, 'for another reason');
    const { checks } = await verifyStore(storeOf(other.disk.log(), await newest()));
    other.handles.kill();
    assert.deepEqual(
      checks.filter(({ problem }) => problem !== null).map(({ check }) => check),
      ['registry', 'audit'],
    );
  });

  it('a snapshot that cannot be read is damage', async () => {
    const snapshot = await newest();
    const rest = snapshot.chunks.get('rest')?.slice(0, 40) ?? new Uint8Array();
    const cut = { ...snapshot, chunks: new Map(snapshot.chunks).set('rest', rest) };
    assert.match(
      (await note('snapshots', storeOf(life.disk.log(), cut)))?.problem ?? '',
      /newest snapshot cannot be read/,
    );
  });

  it('a store that goes away while it is read is no damage', async () => {
    const away = (code: 'ConnectionError' | 'TimeoutError') => async () => {
      throw new EngineError(code, 'away');
    };
    const log = { read: away('TimeoutError'), lastSeq: async () => 3 };
    assert.equal(await codeOf(verifyStore(storeOf(life.disk.log(), null, { log }))), 'TimeoutError');
    const versionOf = away('ConnectionError');
    assert.equal(await codeOf(verifyStore(storeOf(life.disk.log(), null, { versionOf }))), 'ConnectionError');
  });

  it('its progress is told page by page', async () => {
    const told: string[] = [];
    await verifyStore(storeOf(life.disk.log(), null), (done, of, what) => told.push(`${done}/${of} ${what}`));
    assert.deepEqual(told, ['3/3 events']);
  });
});

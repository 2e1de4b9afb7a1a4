import assert from 'node:assert/strict';
import type { LogEvent } from '../../src/core/domain/log-event';
import type { ChainHead } from '../../src/core/learning/audit';
import { brokenAt, linkBehind } from '../../src/live/audit-chain';
import { type Living, living, obedientOn } from '../helpers/living';
import { Disk } from '../simulation/disk';

const start: ChainHead = { version: 0, hash: '' };

/** The first event that breaks the chain, and how; `null` when it is whole. */
function firstBroken(events: readonly LogEvent[]): readonly [number, string] | null {
  let head = start;
  for (const event of events) {
    const why = brokenAt(head, event);
    if (why !== null) return [event.seq, why];
    if (event.link !== undefined) head = event.link;
  }
  return null;
}

/** As JSON would bring it from a disk, with one thing changed. */
function changed(event: LogEvent, change: (data: Record<string, unknown>) => void): LogEvent {
  const copy = JSON.parse(JSON.stringify(event)) as LogEvent & { data: Record<string, unknown> };
  change(copy.data);
  return copy;
}

describe('the chain of the audit trail', () => {
  let life: Living;
  let events: readonly LogEvent[];
  const ids = ['a', 'b', 'c', 'd'];
  const force = (strategyId: string) =>
    life.engine.forceAdaptation({ strategyId, marketConditions: { volatility: 'high' } });
  const at = (i: number) => events[i] as LogEvent;

  beforeEach(async () => {
    life = await living();
    for (const id of ids) await life.engine.register(obedientOn(id, { parameters: { confidenceThreshold: 0.5 } }));
    for (const id of ids) await force(id);
    await life.engine.freeze(true);
    await life.engine.revert(life.engine.adaptations().adaptations[0]?.adaptationId ?? '');
    events = life.disk.log();
  });

  afterEach(() => life.handles.kill());

  it('runs through adaptations, freezes and reverts, and nothing else', () => {
    assert.deepEqual(
      events.filter(({ link }) => link).map(({ type, link }) => [type, link?.aggregate, link?.version]),
      [
        ['adaptation', 'audit', 1],
        ['adaptation', 'audit', 2],
        ['adaptation', 'audit', 3],
        ['adaptation', 'audit', 4],
        ['learning_frozen', 'audit', 5],
        ['adaptation', 'audit', 6],
      ],
    );
    assert.equal(firstBroken(events), null);
    assert.match(at(4).link?.hash ?? '', /^[0-9a-f]{64}$/);
    assert.equal(at(4).link?.previous, '');
    assert.equal(at(5).link?.previous, at(4).link?.hash);
  });

  it('an altered, removed, reordered or inserted event breaks it, by name', () => {
    const altered = events.with(
      5,
      changed(at(5), (data) => {
        data.to = { confidenceThreshold: 0.9 };
      }),
    );
    assert.deepEqual(firstBroken(altered), [6, 'is not what its hash was made of']);
    const removed = events.toSpliced(5, 1);
    assert.deepEqual(firstBroken(removed), [7, 'is number 3 of the chain and follows 1']);
    const reordered = events.with(5, at(6)).with(6, at(5));
    assert.deepEqual(firstBroken(reordered), [7, 'is number 3 of the chain and follows 1']);
    const { link: _, ...bare } = at(5);
    assert.deepEqual(firstBroken(events.with(5, bare as LogEvent)), [6, 'has no place in the chain']);
    const forged = { ...at(5), seq: 11, link: linkBehind(start, at(5)) } as LogEvent;
    assert.deepEqual(firstBroken([...events, forged]), [11, 'is number 1 of the chain and follows 6']);
    const renumbered = { ...at(6), link: { ...linkBehind(start, at(6)), version: 3 } } as LogEvent;
    assert.deepEqual(firstBroken(events.with(6, renumbered)), [7, 'does not carry the hash of the one before']);
    const wrongful = { ...at(0), link: linkBehind(start, at(0)) } as LogEvent;
    assert.deepEqual(firstBroken([wrongful]), [1, 'has a place in the chain and no right to it']);
  });

  it('any field of an event is in its hash', () => {
    const { link, seq, aggregateVersion, ...said } = at(5);
    assert.ok(link && seq && aggregateVersion);
    for (const key of Object.keys(said) as (keyof typeof said)[]) {
      const other = { ...at(5), [key]: key === 'atMs' ? 1 : key === 'type' ? 'learning_frozen' : 'other' } as LogEvent;
      assert.notEqual(firstBroken(events.with(5, other)), null, key);
    }
  });

  it('events of before there was a chain stand before it, not in it', () => {
    const old = events.slice(4, 6).map(({ link: _, ...event }) => event as LogEvent);
    assert.equal(firstBroken(old), null);
    const after = { ...at(6), link: linkBehind(start, at(6)) } as LogEvent;
    assert.equal(firstBroken([...old, after]), null);
    assert.deepEqual(firstBroken([after, ...old]), [5, 'has no place in the chain']);
  });

  it('its head outlives a crash, with a snapshot and without', async () => {
    life = await life.crash();
    await life.engine.freeze(false);
    await life.engine.snapshot();
    life = await life.crash();
    await life.engine.freeze(true);
    const links = life.disk.log().map(({ link }) => link?.version ?? null);
    assert.deepEqual(links.slice(-2), [7, 8]);
    assert.equal(firstBroken(life.disk.log()), null);
  });

  it('many acts at once are put one behind the other', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => life.engine.freeze(i % 2 === 0)));
    assert.equal(life.disk.log().length, events.length + 40);
    assert.equal(firstBroken(life.disk.log()), null);
  });

  it('two engines on one log never fork it: who loses the race goes behind the winner', async () => {
    const { disk } = life;
    const sharing = () => living({ disk, deps: { log: { ...disk.open().log, isShared: true } } });
    const [one, other] = [await sharing(), await sharing()];
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? one : other).engine.freeze(true, `reason ${i}`)),
    );
    const log = life.disk.log();
    assert.equal(log.length, events.length + 12);
    assert.equal(firstBroken(log), null);
    one.handles.kill();
    other.handles.kill();
  });

  it('acts that wait behind a write that failed fail with it, and the next one is appended', async () => {
    life.disk.faults = { ...life.disk.faults, log: 'refuse' };
    const waiting = await Promise.allSettled(Array.from({ length: 5 }, () => life.engine.freeze(true)));
    assert.deepEqual(
      waiting.map(({ status }) => status),
      Array.from({ length: 5 }, () => 'rejected'),
    );
    life.disk.faults = { ...life.disk.faults, log: 'none' };
    await life.engine.freeze(true);
    assert.equal(life.disk.log().length, events.length + 1);
  });

  it('a log of before there was a chain is gone on with', async () => {
    const disk = new Disk();
    const { log } = disk.open();
    const { link: _, seq: _seq, aggregateVersion: _version, ...frozen } = at(8);
    await log.append([{ ...frozen, expectedVersion: null } as Parameters<typeof log.append>[0][number]]);
    const later = await living({ disk });
    assert.equal((await later.engine.freeze(false)).frozen, false);
    assert.equal(firstBroken(disk.log()), null);
    assert.equal(disk.log()[1]?.link?.version, 1);
    later.handles.kill();
  });
});

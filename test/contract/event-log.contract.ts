import assert from 'node:assert/strict';
import { EngineError } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import type { NewEvent } from '../../src/core/domain/log-event';
import type { AppendOutcome, EventLog } from '../../src/live/ports';

/** An event log under test, and what can be done to it from outside. */
export interface EventLogUnderTest {
  readonly log: EventLog;
  /** Opens the same store again after `log.close()`; absent where nothing outlives the process. */
  reopen?(): Promise<EventLog>;
  dispose(): Promise<void>;
}

/** Opens an empty log that remembers `executionIds` ids. */
export type OpenEventLog = (options: { readonly executionIds: number }) => Promise<EventLogUnderTest>;

/** A plausible event; `id` tells its content too, unless `content` is given. */
export function executionEvent(id: string, more: Partial<Omit<NewEvent, 'type' | 'data' | 'v'>> = {}): NewEvent {
  return {
    id,
    contentHash: `hash of ${id}`,
    type: 'strategy_archived',
    v: 1,
    aggregate: 'execution',
    expectedVersion: null,
    atMs: 1_767_225_600_000,
    actor: 'test',
    data: { strategyId: `strategy for ${id}` },
    ...more,
  };
}

const linkAt = (version: number, hash = `hash ${version}`) => ({
  aggregate: 'audit',
  version,
  previous: `hash ${version - 1}`,
  hash,
});

const kinds = (outcomes: readonly AppendOutcome[]): string[] => outcomes.map((outcome) => outcome.kind);

function seqsOf(outcomes: readonly AppendOutcome[]): (number | null)[] {
  return outcomes.map((o) => (o.kind === 'applied' ? o.event.seq : o.kind === 'duplicate' ? o.seq : null));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'settled',
    (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
  );
}

/** What every event log keeps, whatever it is made of. */
export function eventLogContract(name: string, open: OpenEventLog): void {
  describe(`event log contract: ${name}`, () => {
    let store: EventLogUnderTest;
    let log: EventLog;

    beforeEach(async () => {
      store = await open({ executionIds: 4 });
      log = store.log;
    });

    afterEach(async () => {
      await log.close();
      await store.dispose();
    });

    it('an empty log has no events and its last seq is 0', async () => {
      assert.equal(await log.lastSeq(), 0);
      assert.deepEqual(await log.read(0, 10), []);
      assert.deepEqual(await log.append([]), []);
    });

    it('events are numbered from 1 without gaps, and their aggregates likewise', async () => {
      const first = await log.append([executionEvent('a'), executionEvent('b', { aggregate: 'audit' })]);
      const second = await log.append([executionEvent('c')]);
      assert.deepEqual(kinds([...first, ...second]), ['applied', 'applied', 'applied']);
      const events = await log.read(0, 10);
      assert.deepEqual(
        events.map((event) => [event.seq, event.id, event.aggregate, event.aggregateVersion]),
        [
          [1, 'a', 'execution', 1],
          [2, 'b', 'audit', 1],
          [3, 'c', 'execution', 2],
        ],
      );
      assert.equal(await log.lastSeq(), 3);
    });

    it('an event is read as it was appended, and as the outcome told it', async () => {
      const event = executionEvent('ü \u0000 \ud800 __proto__', { aggregate: '__proto__', actor: 'a\nb' });
      const outcomes = await log.append([event]);
      const [read] = await log.read(0, 1);
      const { expectedVersion: _, ...rest } = event;
      assert.deepEqual(read, { ...rest, seq: 1, aggregateVersion: 1 });
      assert.deepEqual(outcomes, [{ kind: 'applied', event: read }]);
    });

    it('the same id again is a duplicate that tells the first seq and whether the content was the same', async () => {
      await log.append([executionEvent('a'), executionEvent('b')]);
      const again = await log.append([executionEvent('b'), executionEvent('a', { contentHash: 'other' })]);
      assert.deepEqual(again, [
        { kind: 'duplicate', seq: 2, sameContent: true },
        { kind: 'duplicate', seq: 1, sameContent: false },
      ]);
      assert.equal(await log.lastSeq(), 2);
    });

    it('the same id twice in one call is applied once', async () => {
      const outcomes = await log.append([executionEvent('a'), executionEvent('a'), executionEvent('b')]);
      assert.deepEqual(kinds(outcomes), ['applied', 'duplicate', 'applied']);
      assert.deepEqual(seqsOf(outcomes), [1, 1, 2]);
    });

    it('the same id from many callers at once is applied once', async () => {
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => log.append([executionEvent('a')])));
      assert.equal(outcomes.flat().filter((outcome) => outcome.kind === 'applied').length, 1);
      assert.equal(await log.lastSeq(), 1);
    });

    it('of many callers who expect the same version one is applied and the others conflict', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          log.append([executionEvent(`try ${i}`, { aggregate: 'strategy:x', expectedVersion: 0 })]),
        ),
      );
      const flat = outcomes.flat();
      assert.equal(flat.filter((outcome) => outcome.kind === 'applied').length, 1);
      for (const outcome of flat)
        if (outcome.kind !== 'applied')
          assert.deepEqual(outcome, { kind: 'conflict', aggregate: 'strategy:x', aggregateVersion: 1 });
    });

    it('a conflict writes nothing and does not hold up what follows it', async () => {
      const outcomes = await log.append([
        executionEvent('a', { expectedVersion: 0 }),
        executionEvent('b', { expectedVersion: 0 }),
        executionEvent('c', { expectedVersion: 1 }),
      ]);
      assert.deepEqual(kinds(outcomes), ['applied', 'conflict', 'applied']);
      assert.deepEqual(
        (await log.read(0, 10)).map((event) => event.id),
        ['a', 'c'],
      );
      assert.deepEqual(kinds(await log.append([executionEvent('b', { expectedVersion: 2 })])), ['applied']);
    });

    it('an event with a link raises both aggregates, and is read with the link as it came', async () => {
      const outcomes = await log.append([
        executionEvent('a', { aggregate: 'strategy:x', expectedVersion: 0, link: linkAt(1) }),
        executionEvent('b', { aggregate: 'strategy:y', expectedVersion: 0, link: linkAt(2) }),
        executionEvent('c', { aggregate: 'audit', expectedVersion: 2 }),
      ]);
      assert.deepEqual(kinds(outcomes), ['applied', 'applied', 'applied']);
      assert.deepEqual(
        (await log.read(0, 10)).map(({ aggregate, aggregateVersion, link }) => [aggregate, aggregateVersion, link]),
        [
          ['strategy:x', 1, linkAt(1)],
          ['strategy:y', 1, linkAt(2)],
          ['audit', 3, undefined],
        ],
      );
      const next = executionEvent('d', { aggregate: 'strategy:x', expectedVersion: 1, link: linkAt(4) });
      assert.deepEqual(kinds(await log.append([next])), ['applied']);
    });

    it('a link whose place is taken, or not yet next, is a conflict of its aggregate and writes nothing', async () => {
      await log.append([executionEvent('a', { aggregate: 'strategy:x', link: linkAt(1) })]);
      const outcomes = await log.append([
        executionEvent('b', { aggregate: 'strategy:y', link: linkAt(1, 'fork') }),
        executionEvent('c', { aggregate: 'strategy:y', link: linkAt(3) }),
        executionEvent('d', { aggregate: 'strategy:x', expectedVersion: 0, link: linkAt(2) }),
        executionEvent('a', { aggregate: 'strategy:x', link: linkAt(7) }),
        executionEvent('e', { aggregate: 'strategy:y', expectedVersion: 0, link: linkAt(2) }),
      ]);
      assert.deepEqual(outcomes.slice(0, 3), [
        { kind: 'conflict', aggregate: 'audit', aggregateVersion: 1 },
        { kind: 'conflict', aggregate: 'audit', aggregateVersion: 1 },
        { kind: 'conflict', aggregate: 'strategy:x', aggregateVersion: 1 },
      ]);
      assert.deepEqual(kinds(outcomes.slice(3)), ['duplicate', 'applied']);
      assert.deepEqual(
        (await log.read(0, 10)).map(({ id }) => id),
        ['a', 'e'],
      );
    });

    it('of many callers who want the same place in a chain one has it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          log.append([executionEvent(`try ${i}`, { aggregate: `strategy:${i}`, link: linkAt(1, `hash by ${i}`) })]),
        ),
      );
      assert.equal(outcomes.flat().filter(({ kind }) => kind === 'applied').length, 1);
      assert.equal((await log.read(0, 100)).length, 1);
    });

    it('ids are remembered for as many events as said, then counted anew', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await log.append([executionEvent(id)]);
      assert.deepEqual(kinds(await log.append([executionEvent('a')])), ['duplicate']);
      assert.deepEqual(kinds(await log.append([executionEvent('e')])), ['applied']);
      const outcomes = await log.append([executionEvent('b')]);
      assert.deepEqual(seqsOf(outcomes), [2]);
      assert.deepEqual(kinds(await log.append([executionEvent('a')])), ['applied']);
    });

    it('reading goes on behind a seq and stops at the limit', async () => {
      await log.append(['a', 'b', 'c', 'd'].map((id) => executionEvent(id)));
      const ids = async (after: number, limit: number) => (await log.read(after, limit)).map((event) => event.id);
      assert.deepEqual(await ids(1, 2), ['b', 'c']);
      assert.deepEqual(await ids(4, 10), []);
      assert.deepEqual(await ids(9, 10), []);
    });

    it('more events in one call than are allowed are refused and none is written', async () => {
      const events = Array.from({ length: limits.eventsPerAppend + 1 }, (_, i) => executionEvent(`e${i}`));
      assert.equal(await codeOf(log.append(events)), 'ValueError');
      assert.equal(await log.lastSeq(), 0);
    });

    it('every outcome of hundreds of callers is the one that was written', async () => {
      const calls = await Promise.all(
        Array.from({ length: 300 }, (_, i) => log.append([executionEvent(`x${i}`), executionEvent(`y${i}`)])),
      );
      assert.equal(await log.lastSeq(), 600);
      const written = (await log.read(598, 10)).map((event) => event.id);
      const seqs = new Map(calls.flat().map((o) => [o.kind === 'applied' ? o.event.seq : -1, o] as const));
      assert.equal(seqs.size, 600);
      for (const [i, id] of written.entries()) {
        const outcome = seqs.get(599 + i);
        assert.equal(outcome?.kind === 'applied' && outcome.event.id, id);
      }
    });

    it('durability says in words what an acknowledgement survives', () => {
      const durability = log.durability();
      assert.ok(durability.text.length > 10);
      assert.equal(durability.survivesProcessKill, store.reopen !== undefined);
    });

    it('a closed log refuses with ConnectionError, and closing twice is harmless', async () => {
      await log.close();
      await log.close();
      assert.equal(await codeOf(log.append([executionEvent('a')])), 'ConnectionError');
      assert.equal(await codeOf(log.read(0, 1)), 'ConnectionError');
      assert.equal(await codeOf(log.lastSeq()), 'ConnectionError');
    });

    it('what was acknowledged is there after closing and opening again, where that is promised', async () => {
      await log.append([executionEvent('a'), executionEvent('b', { expectedVersion: 1 })]);
      const before = await log.read(0, 10);
      await log.close();
      if (!store.reopen) {
        assert.equal(log.durability().survivesProcessKill, false);
        return;
      }
      log = await store.reopen();
      assert.deepEqual(await log.read(0, 10), before);
      const outcomes = await log.append([executionEvent('b'), executionEvent('c', { expectedVersion: 2 })]);
      assert.deepEqual(kinds(outcomes), ['duplicate', 'applied']);
      assert.deepEqual(seqsOf(outcomes), [2, 3]);
    });
  });
}

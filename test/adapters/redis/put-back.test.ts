/** What a process knows goes back into a Redis that came back without it: as far as it follows, whoever else does the same. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { keysOf } from '../../../src/adapters/redis/keys';
import { LeftOver } from '../../../src/adapters/redis/left-over';
import { type CodedEvent, codedEvent, LogCommands, type Witness } from '../../../src/adapters/redis/log-commands';
import { decodeEntry, type LogEntry } from '../../../src/adapters/redis/log-entry';
import { putBack } from '../../../src/adapters/redis/put-back';
import { RecentEvents } from '../../../src/adapters/redis/recent-events';
import { executionEvent } from '../../contract/event-log.contract';
import { bareConnection, probe } from '../../helpers/redis-probe';
import { type RedisServer, startRedis } from '../../helpers/redis-server';

const none: Witness = { seq: 0, seal: '' };

describe('lost events of a log in Redis', () => {
  let redis: RedisServer;
  let client: Redis;
  const keys = keysOf('back');

  before(async () => {
    redis = await startRedis();
    client = probe(redis.url);
  });
  after(async () => {
    client.disconnect();
    await redis.stop();
  });
  beforeEach(() => client.flushall());

  /** The log's commands, with what happens right after the end of the log was looked at. */
  function commands(meanwhile: () => Promise<unknown> = async () => {}): LogCommands {
    class Interrupted extends LogCommands {
      override async newest() {
        const newest = await super.newest();
        await meanwhile();
        return newest;
      }
    }
    return new Interrupted(bareConnection(client), keys);
  }
  const coded = (ids: readonly string[]): CodedEvent[] => ids.map((id) => codedEvent(executionEvent(id)));
  const idsOf = (count: number, prefix = 'e') => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

  /** A log of that many events, as it was before Redis lost what is behind `kept`. */
  async function written(count: number, kept: number): Promise<LogEntry[]> {
    const log = commands();
    for (let at = 0; at < count; at += 64) await log.append(coded(idsOf(count).slice(at, at + 64)), none);
    const all = await log.range(1, count);
    await client.flushall();
    for (let at = 0; at < kept; at += 64)
      await log.append(coded(idsOf(count).slice(at, Math.min(kept, at + 64))), none);
    return all.map((given, i) => decodeEntry(given, i + 1));
  }
  function knowing(entries: readonly LogEntry[], isKnown: (seq: number) => boolean = () => true): RecentEvents {
    const recent = new RecentEvents();
    for (const entry of entries) if (isKnown(entry.seq)) recent.add(entry);
    return recent;
  }
  const sealsNow = async () => (await commands().range(1, 10_000)).map(([, fields]) => fields[5]);
  const sealsOf = (entries: readonly LogEntry[]) => entries.map(({ seal }) => seal);

  it('are all there again, sealed as they were, whatever Redis has kept of them', async () => {
    for (const kept of [0, 1, 63, 64, 65, 199, 200]) {
      const entries = await written(200, kept);
      assert.deepEqual(await putBack(commands(), knowing(entries)), { log: 'whole', events: 200 - kept, end: 200 });
      assert.deepEqual(await sealsNow(), sealsOf(entries));
    }
  });

  it('are put back up to a hole, and behind it once another process has filled it', async () => {
    const entries = await written(300, 10);
    const first = knowing(entries, (seq) => seq <= 100 || seq > 250);
    const other = knowing(entries, (seq) => seq <= 280);
    assert.deepEqual(await putBack(commands(), first), { log: 'short', events: 90, end: 100 });
    assert.deepEqual(await putBack(commands(), first), { log: 'short', events: 0, end: 100 });
    assert.deepEqual(await putBack(commands(), other), { log: 'whole', events: 180, end: 280 });
    assert.deepEqual(await putBack(commands(), first), { log: 'whole', events: 20, end: 300 });
    assert.deepEqual(await sealsNow(), sealsOf(entries));
  });

  it('are whole for a process that knows fewer, when another puts back more at any moment between', async () => {
    for (const moment of [1, 2, 3]) {
      const entries = await written(300, 10);
      const more = knowing(entries);
      let looks = 0;
      const meanwhile = async () => {
        if (++looks === moment) await putBack(commands(), more);
      };
      const { log, events } = await putBack(
        commands(meanwhile),
        knowing(entries, (seq) => seq <= 150),
      );
      assert.equal(log, 'whole', `at look ${moment}`);
      assert.equal(events, Math.min(140, (moment - 1) * 64));
      assert.deepEqual(await sealsNow(), sealsOf(entries));
    }
  });

  it('are put back once by processes that do it at the same time', async () => {
    const entries = await written(300, 10);
    const both = await Promise.all([
      putBack(commands(), knowing(entries)),
      putBack(
        commands(),
        knowing(entries, (seq) => seq !== 200),
      ),
    ]);
    assert.equal(both[0].log, 'whole');
    assert.equal(both[0].events + both[1].events, 290);
    assert.deepEqual(await sealsNow(), sealsOf(entries));
  });

  it('stay away from a log that went on differently', async () => {
    const entries = await written(100, 50);
    await commands().append(coded(idsOf(10, 'other')), none);
    assert.equal((await putBack(commands(), knowing(entries))).log, 'other');
    await commands().append(coded(idsOf(100, 'more')), none);
    assert.equal((await putBack(commands(), knowing(entries))).log, 'other');
    assert.equal((await sealsNow()).length, 160);
  });

  it('stay away from a log of which nothing is known', async () => {
    const entries = await written(100, 50);
    const recent = knowing(entries, (seq) => seq > 50);
    assert.deepEqual(await putBack(commands(), recent), { log: 'short', events: 0, end: 50 });
    assert.equal((await sealsNow()).length, 50);
  });

  it('of a log that has the newest of them, but not all, say that it is another one', async () => {
    const of = (id: string, aggregate: string) => codedEvent({ ...executionEvent(id), aggregate });
    await commands().append([of('a', 'x'), of('lost', 'strategy:lost'), of('b', 'x')], none);
    const entries = (await commands().range(1, 3)).map((given, i) => decodeEntry(given, i + 1));
    await client.flushall();
    await commands().append([of('a', 'x'), of('new', 'strategy:new')], none);
    const hole = await putBack(
      commands(),
      knowing(entries, (seq) => seq !== 2),
    );
    assert.deepEqual(hole, { log: 'whole', events: 1, end: 3 });
    assert.equal((await putBack(commands(), knowing(entries))).log, 'other');
  });

  it('whose ids alone are left are not sent again and again', async () => {
    const entries = await written(3, 3);
    await client.del(keys.log);
    assert.equal((await putBack(commands(), knowing(entries))).log, 'other');
  });

  it('left over by a life are tried once more before they are given up', async () => {
    const entries = await written(5, 1);
    const lost: number[] = [];
    let back = 0;
    const leftOver = new LeftOver({
      commands: commands(),
      found: entries.filter(({ seq }) => seq !== 2),
      onPutBack(events) {
        back += events;
      },
      async onLost(gone) {
        lost.push(...gone.map(({ seq }) => seq));
      },
    });
    assert.equal(await leftOver.putBack(), 1);
    await putBack(
      commands(),
      knowing(entries, (seq) => seq <= 2),
    );
    await leftOver.giveUp();
    assert.deepEqual({ back, lost }, { back: 3, lost: [] });
    assert.deepEqual(await sealsNow(), sealsOf(entries));
  });
});

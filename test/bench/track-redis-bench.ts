/** P8 on Redis with AOF everysec: track by 64 callers against a bare script that writes as much, as many at a time. */
import { Redis } from 'ioredis';
import { limits } from '../../src/core/domain/limits';
import { startRedis } from '../helpers/redis-server';
import { built, type Contest } from './harness';
import { byCallers, callers } from './track-bench';

const { openEngine } = built<typeof import('../../src/compose')>('compose');
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Per record: an entry of a stream and two fields of hashes, which is what any log with ids and versions must write. */
const bare = `
for i = 1, #ARGV, 2 do
  redis.call('XADD', KEYS[1], '*', 'd', ARGV[i + 1])
  redis.call('HSET', KEYS[2], ARGV[i], i)
  redis.call('HINCRBY', KEYS[3], 'execution', 1)
end
return #ARGV / 2`;

/** The bare script, grouped as ours is: one call under way, at most as many records in it. */
class BareWriter {
  private readonly client: Redis;
  private waiting: { readonly id: string; readonly done: () => void }[] = [];
  private isWriting = false;
  private readonly record = 'x'.repeat(600);

  constructor(client: Redis) {
    this.client = client;
  }

  write(id: string): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ id, done });
      if (!this.isWriting) setImmediate(() => void this.next());
    });
  }

  private async next(): Promise<void> {
    if (this.isWriting || this.waiting.length === 0) return;
    this.isWriting = true;
    const group = this.waiting.splice(0, limits.eventsPerAppend);
    const args = group.flatMap(({ id }) => [id, this.record]);
    await this.client.eval(bare, 3, '{bare}:log', '{bare}:ids', '{bare}:versions', ...args);
    for (const { done } of group) done();
    this.isWriting = false;
    void this.next();
  }
}

export async function p8Redis(): Promise<Contest> {
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
  const engine = await openEngine({ name: 'track', store: { kind: 'redis', url: redis.url }, logger: silent });
  await engine.register({ strategyType: 'moving_average_crossover', strategyId: 'tracked' });
  const client = new Redis(redis.url);
  const writer = new BareWriter(client);
  let round = 0;
  const result = (executionId: string) => ({
    executionId,
    pnl: 1.25,
    success: true,
    executionTimeMs: 12,
    symbol: 'BTCUSDT',
  });
  return {
    name: `P8 track, Redis, ${callers} callers`,
    unit: 'calls per s',
    isWallClock: true,
    goal: 0.7,
    ours: {
      name: 'engine',
      run: () => byCallers((id) => engine.track({ strategyId: 'tracked', executionResult: result(id) }), ++round),
    },
    peer: { name: 'bare script, as many at a time', run: () => byCallers((id) => writer.write(id), ++round) },
    async close() {
      await engine.close();
      client.disconnect();
      await redis.stop();
    },
  };
}

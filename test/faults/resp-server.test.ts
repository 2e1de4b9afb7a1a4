import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../helpers/redis-server';
import { until } from '../helpers/until';
import { commandAt, frameEnd, isPush } from './resp-frames';
import { failingAt, pass, type RespServer, refusal, startRespServer } from './resp-server';

describe('the reader of the Redis protocol', () => {
  const frames = [
    '+OK\r\n',
    '-ERR no\r\n',
    ':12\r\n',
    '$5\r\na\r\nbc\r\n',
    '$-1\r\n',
    '$0\r\n\r\n',
    '*0\r\n',
    '*-1\r\n',
    '*2\r\n*1\r\n:1\r\n$1\r\nx\r\n',
    '%1\r\n+k\r\n*2\r\n:1\r\n:2\r\n',
    '|1\r\n+a\r\n+b\r\n:7\r\n',
    '>2\r\n+message\r\n~1\r\n#t\r\n',
    '=6\r\ntxt:ab\r\n',
    '_\r\n',
    ',1.5\r\n',
  ];

  it('finds the end of every reply, and none in a part of it', () => {
    for (const frame of frames) {
      const bytes = Buffer.from(`${frame}+next\r\n`);
      assert.equal(frameEnd(bytes, 0), frame.length, JSON.stringify(frame));
      for (let cut = 0; cut < frame.length; cut++) {
        assert.equal(frameEnd(bytes.subarray(0, cut), 0), -1, JSON.stringify([frame, cut]));
      }
    }
  });

  it('reads commands whole, also inline, and knows what is told from what is answered', () => {
    const bytes = Buffer.from('*2\r\n$4\r\nECHO\r\n$3\r\né1\r\nPING\r\n');
    assert.deepEqual(commandAt(bytes, 0), { words: ['ECHO', 'é1'], end: 23 });
    assert.deepEqual(commandAt(bytes, 23), { words: ['PING'], end: 29 });
    assert.equal(commandAt(bytes.subarray(0, 20), 0), null);
    assert.ok(isPush(Buffer.from('>3\r\n+message\r\n')));
    assert.ok(isPush(Buffer.from('*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n')));
    assert.ok(!isPush(Buffer.from('*1\r\n$2\r\nhi\r\n')));
  });
});

describe('the scripted server', () => {
  let redis: RedisServer;
  let server: RespServer;
  let client: Redis;

  before(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    server = await startRespServer(redis.port);
    client = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: 0, commandTimeout: 300 });
    client.on('error', () => {});
    await client.flushall();
  });
  afterEach(async () => {
    client.disconnect();
    await server.close();
  });
  after(() => redis.stop());

  it('passes what it is not told to change, in order, and pushes between', async () => {
    const texts: string[] = [];
    const listener = new Redis(server.url);
    listener.on('message', (_channel, text) => texts.push(text));
    await listener.subscribe('a');
    const answers = await Promise.all([client.set('k', 'v'), client.get('k'), client.publish('a', 'one')]);
    assert.deepEqual(answers, ['OK', 'v', 1]);
    await until('the message', () => texts.length === 1);
    assert.equal(await listener.ping(), 'PONG');
    listener.disconnect();
    await until('the session is over', () => server.connections() === 1);
  });

  it('says an error in the place of one answer only, and does not do the command', async () => {
    server.script(failingAt(2, refusal('OOM command not allowed'), ([name]) => name === 'INCR'));
    const answers = await Promise.allSettled([client.incr('n'), client.incr('n'), client.incr('n')]);
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
      [1, 'ReplyError: OOM command not allowed', 2],
    );
  });

  it('does and lies, does and cuts, cuts before, hangs, and stops in the middle', async () => {
    const asker = new Redis(redis.url);
    const value = async () => Number(await asker.get('n'));
    server.script(failingAt(1, { kind: 'lie', bytes: ':77\r\n' }, ([name]) => name === 'INCR'));
    assert.equal(await client.incr('n'), 77);
    assert.equal(await value(), 1);
    const losing = async (kind: 'cut' | 'cut-after' | 'hang' | 'half', stored: number) => {
      server.script(failingAt(1, { kind }, ([name]) => name === 'INCR'));
      await assert.rejects(client.incr('n'));
      await until(`${kind}: ${stored} is stored`, async () => (await value()) === stored);
      server.script(() => pass);
      server.cutAll();
      await until('it is there again', () => client.ping().then(Boolean, () => false));
    };
    await losing('cut', 1);
    await losing('cut-after', 2);
    await losing('hang', 2);
    await losing('half', 3);
    asker.disconnect();
  });
});

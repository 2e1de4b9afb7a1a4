/** Redis over TLS with an authority of one's own: store, channels and commands. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { built } from '../helpers/built';
import { ownCertificate } from '../helpers/certificate';
import { startNode } from '../helpers/child';
import { call } from '../helpers/http-client';
import { probe } from '../helpers/redis-probe';
import { freePort, type RedisServer, startRedis } from '../helpers/redis-server';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const startMs = 30_000;

describe('Redis over TLS', function () {
  this.timeout(60_000);
  const { path, remove } = temporaryDirectory('tls');
  const file = (name: string) => join(path, name);
  const trusting = { NODE_EXTRA_CA_CERTS: file('certificate.pem') };
  let redis: RedisServer;
  let plain: Redis;
  let port: number;

  before(() => {
    const { key, certificate } = ownCertificate();
    writeFileSync(file('key.pem'), key);
    writeFileSync(file('certificate.pem'), certificate);
  });
  after(remove);
  afterEach(async () => {
    plain.disconnect();
    await redis.stop();
  });

  async function start(more: readonly string[] = []): Promise<void> {
    port = await freePort();
    const own = ['--tls-cert-file', file('certificate.pem'), '--tls-key-file', file('key.pem')];
    const trust = ['--tls-ca-cert-file', file('certificate.pem'), '--tls-auth-clients', 'no'];
    redis = await startRedis({ args: ['--tls-port', String(port), ...own, ...trust, ...more], portMax: 55_535 });
    plain = probe(redis.url);
  }

  /** An engine at work there: an execution is counted, a tick taken, and all that is kept is whole. */
  async function worksAt(url: string): Promise<void> {
    const apiPort = await freePort();
    const script = join(__dirname, 'children/shared-child.ts');
    const child = startNode([script, url, 'secure', file(`data-${apiPort}`), String(apiPort)], { env: trusting });
    try {
      await until('it is ready', () => child.stdout().includes('ready leader'), startMs).catch((thrown) => {
        throw new Error(`${String(thrown)}\n${child.stderr()}`);
      });
      const strategy = JSON.stringify({ strategy_type: 'mean_reversion', strategy_id: 'one' });
      assert.equal((await call(apiPort, '/api/strategy/register', { body: strategy })).status, 200);
      const result = { execution_id: 'x', pnl: 1, success: true, execution_time_ms: 1 };
      const tracked = JSON.stringify({ strategy_id: 'one', execution_result: result });
      assert.equal((await call(apiPort, '/api/performance/track', { body: tracked })).status, 200);
      await plain.publish('strategy_engine_input', JSON.stringify({ symbol: 'BTCUSDT', price: 42_000, volume: 1 }));
      const taken = async () => /ticks_total[^\n]* 1\n/.test((await call(apiPort, '/api/metrics')).text);
      await until('the tick is taken', taken);
      const { code, stderr } = await verify(url, trusting);
      assert.equal(code, 0, stderr);
    } finally {
      child.kill('SIGTERM');
      await child.ended;
    }
  }

  async function verify(url: string, env: Readonly<Record<string, string>>) {
    const command = startNode([built('src/cli.js'), 'verify', '--redis', url, '--name', 'secure'], { env });
    const { code } = await command.ended;
    return { code, stderr: command.stderr() };
  }

  it('holds an engine, and is read by the commands', async () => {
    await start(['--appendonly', 'yes']);
    await worksAt(`rediss://127.0.0.1:${port}`);
  });

  it('holds an engine as a cluster, too', async () => {
    await start(['--cluster-enabled', 'yes', '--tls-cluster', 'yes']);
    await plain.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await until('it serves', async () => /cluster_state:ok/.test(String(await plain.call('CLUSTER', 'INFO'))), 10_000);
    await worksAt(`rediss-cluster://127.0.0.1:${port}`);
  });

  it('is refused in words by who does not know its authority', async () => {
    await start();
    const { code, stderr } = await verify(`rediss://me:planted@127.0.0.1:${port}`, {});
    assert.notEqual(code, 0);
    assert.match(stderr, /self-signed certificate/);
    assert.ok(!stderr.includes('planted'));
  });
});

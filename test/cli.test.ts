import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startNode } from './helpers/child';
import { root } from './helpers/repository';
import { temporaryDirectory } from './helpers/temporary';

describe('the command line', () => {
  const { path: dataDir, remove } = temporaryDirectory('cli');
  after(remove);
  const none = { API_HOST: '', API_TOKEN: '', REDIS_URL: '', PORT: '', API_PORT: '', LOG_LEVEL: '', DATA_DIR: dataDir };

  const wrong: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ API_HOST: '0.0.0.0' }, /^API_HOST must be a loopback address unless API_TOKEN is set\n$/],
    [{ PORT: 'abc' }, /^PORT must be a port, 1 to 65535\n$/],
    [{ REDIS_URL: 'http://x' }, /^REDIS_URL must be a redis:\/\/, rediss:\/\/ or redis-cluster:\/\/ URL\n$/],
  ];
  for (const [env, message] of wrong) {
    it(`demo with ${JSON.stringify(env)} is refused in words before anything starts`, async () => {
      const child = startNode([join(root, 'src/cli.ts'), 'demo'], { env: { ...none, ...env } });
      assert.deepEqual(await child.ended, { code: 1, signal: null });
      assert.match(child.stderr(), message);
      assert.equal(child.stdout(), '');
    });
  }
});

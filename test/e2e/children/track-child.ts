/**
 * The engine behind its HTTP API, without Node-RED. Arguments: data directory, port, URL of the Redis that is the store
 * (else it is in the directory). Says `ready` when it listens.
 */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';

const { createConsoleLogger, createHttpApi, openEngine, systemClock } = require(
  built('src/index.js'),
) as typeof product;

async function main(): Promise<void> {
  const [path = '', port = '', url = ''] = process.argv.slice(2);
  const logger = createConsoleLogger({ level: 'warn' });
  const store = url.startsWith('redis:')
    ? ({ kind: 'redis', url, path } as const)
    : ({ kind: 'embedded', path } as const);
  const engine = await openEngine({ name: 'track', store, logger });
  const api = await createHttpApi({ engine, host: '127.0.0.1', port: Number(port), clock: systemClock, logger });
  process.once('SIGTERM', () => {
    api
      .close()
      .then(() => engine.close())
      .then(() => process.exit(0));
  });
  process.stdout.write('ready\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});

/**
 * One of several processes on one engine in Redis, with its HTTP API. Arguments: Redis URL, engine name, folder, port.
 * Says `ready ROLE` when it listens, and `role ROLE` at every change.
 */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';

const { createConsoleLogger, createHttpApi, openEngine, systemClock } = require(
  built('src/index.js'),
) as typeof product;

async function main(): Promise<void> {
  const [url = '', name = '', path = '', port = ''] = process.argv.slice(2);
  const logger = createConsoleLogger({ level: 'error' });
  const engine = await openEngine({ name, store: { kind: 'redis', url, path }, redis: { url }, logger });
  engine.onRole((role) => process.stdout.write(`role ${role}\n`));
  const api = await createHttpApi({ engine, host: '127.0.0.1', port: Number(port), clock: systemClock, logger });
  process.once('SIGTERM', () => {
    api
      .close()
      .then(() => engine.close())
      .then(() => process.exit(0));
  });
  process.stdout.write(`ready ${engine.role()}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});

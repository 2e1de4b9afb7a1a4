/**
 * One of several processes on one engine in Redis, with its HTTP API. Arguments: Redis URL, engine name, folder, port, and
 * `stream` when market data is read from the stream instead of the channel. Says `ready ROLE` when it listens, and `role ROLE` at every change.
 */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';

const { createConsoleLogger, createHttpApi, openEngine, systemClock } = require(
  built('src/index.js'),
) as typeof product;

async function main(): Promise<void> {
  const [url = '', name = '', path = '', port = '', door = 'channel'] = process.argv.slice(2);
  const logger = createConsoleLogger({ level: 'error' });
  const input = door === 'stream' ? { inputChannel: null, inputStream: 'strategy_engine:input' } : {};
  const engine = await openEngine({ name, store: { kind: 'redis', url, path }, redis: { url, ...input }, logger });
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

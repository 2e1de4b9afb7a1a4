/** The engine behind its HTTP API, without Node-RED. Arguments: data directory, port. Says `ready` when it listens. */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';

const { createConsoleLogger, createHttpApi, openEngine, systemClock } = require(
  built('src/index.js'),
) as typeof product;

async function main(): Promise<void> {
  const [path = '', port = ''] = process.argv.slice(2);
  const logger = createConsoleLogger({ level: 'warn' });
  const engine = await openEngine({ name: 'track', store: { kind: 'embedded', path }, logger });
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

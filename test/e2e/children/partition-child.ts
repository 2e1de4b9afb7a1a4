/**
 * The engine of one partition. Arguments: Redis URL, name of the market, partition, folder. Says `ready` when it reads.
 */
import type * as product from '../../../src/index';
import { built } from '../../helpers/built';
import { registerAll, risk } from '../../helpers/partitioned';

const { createConsoleLogger, openEngine } = require(built('src/index.js')) as typeof product;

async function main(): Promise<void> {
  const [url = '', name = '', partition = '', path = ''] = process.argv.slice(2);
  const engine = await openEngine({
    name: `${name}-${partition}`,
    store: { kind: 'redis', url, path },
    redis: { url, inputChannel: null, inputStream: 'strategy_engine:input', partition: Number(partition) },
    risk,
    logger: createConsoleLogger({ level: 'error' }),
  });
  if (engine.strategies().strategies.length === 0) await registerAll(engine);
  process.once('SIGTERM', () => {
    engine.close().then(() => process.exit(0));
  });
  process.stdout.write('ready\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});

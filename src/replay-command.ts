/** `strategy-engine replay`: a market file through one strategy; with a data directory it goes on where it was killed. */
import { parseArgs } from 'node:util';
import { openMarketFile } from './adapters/files/market-file';
import { createConsoleLogger } from './adapters/system/console-logger';
import { openEngine } from './compose';
import { valueError } from './core/domain/errors';
import type { Engine } from './live/engine-api';
import { signalToWire } from './wire/signal';

const strategyId = 'replay';

interface ReplayOptions {
  readonly file: string;
  readonly strategyType: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly symbol?: string;
  readonly timeframe?: string;
  readonly dataDir?: string;
  readonly skipBad: boolean;
}

/** Prints one line of JSON per signal and a summary on stderr. Answers the exit code. */
export async function replay(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const { dataDir } = options;
  const engine = await openEngine({
    name: 'replay',
    store: dataDir === undefined ? { kind: 'memory' } : { kind: 'embedded', path: dataDir },
    logger: createConsoleLogger({ level: 'silent' }),
  });
  try {
    return await run(engine, options);
  } finally {
    await engine.close();
  }
}

async function run(engine: Engine, options: ReplayOptions): Promise<number> {
  let signals = 0;
  engine.on('signal', (signal) => {
    signals++;
    process.stdout.write(`${JSON.stringify(signalToWire(signal))}\n`);
  });
  const { strategyType, parameters, timeframe, symbol, skipBad } = options;
  const how = {
    ...(symbol === undefined ? {} : { symbol }),
    ...(timeframe === undefined ? {} : { timeframe }),
    skipBad,
  };
  await engine.register({ strategyType, strategyId, parameters, ...(timeframe === undefined ? {} : { timeframe }) });
  let rows = 0;
  let bad = 0;
  const { feed, notes } = await openMarketFile(options.file, how);
  for (const note of notes) process.stderr.write(`${note}\n`);
  const seen = engine.feedRow(feed);
  const market = await openMarketFile(options.file, { ...how, afterRow: seen });
  for await (const { items, firstRow, rejected } of market) {
    bad += rejected.length;
    for (const { line, column = '', message } of rejected) {
      process.stderr.write(`${market.name}:${line} ${column === '' ? '' : `${column} `}${message}\n`);
    }
    if (items.length === 0) continue;
    rows += items.length;
    await engine.processMarketData({
      items,
      indexes: items.map((_, i) => i),
      rejected: [],
      received: items.length,
      door: 'ordered',
      arrivalMs: Date.now(),
      position: { feed, row: firstRow },
    });
  }
  process.stderr.write(`${seen + rows} rows, ${bad} refused, ${signals} signals\n`);
  return 0;
}

function optionsOf(args: readonly string[]): ReplayOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      strategy: { type: 'string' },
      param: { type: 'string', multiple: true, default: [] },
      symbol: { type: 'string' },
      timeframe: { type: 'string' },
      data: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (file === undefined) throw valueError('FILE', 'is missing');
  if (values.strategy === undefined) throw valueError('--strategy', 'is missing');
  return {
    file,
    strategyType: values.strategy,
    parameters: Object.fromEntries(values.param.map(parameter)),
    ...(values.symbol === undefined ? {} : { symbol: values.symbol }),
    ...(values.timeframe === undefined ? {} : { timeframe: values.timeframe }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
    skipBad: values['skip-bad'],
  };
}

/** `name=value`; a value that is JSON (a number, true) is taken as such. */
function parameter(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw valueError('--param', 'must be name=value', text);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

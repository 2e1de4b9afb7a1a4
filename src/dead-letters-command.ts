/** `strategy-engine dead-letters`: what could not be used, listed or put back where it came from. */
import { parseArgs } from 'node:util';
import { createDeadLetters, type DeadLetters } from './adapters/redis/dead-letters';
import { systemClock } from './adapters/system/clock';
import { createConsoleLogger } from './adapters/system/console-logger';
import { EngineError, valueError } from './core/domain/errors';
import { limits } from './core/domain/limits';
import { deadLetterToWire } from './wire/dead-letter';

interface Options {
  readonly isReplay: boolean;
  /** The stream that holds them. */
  readonly from?: string;
  readonly to?: 'stream' | 'channel';
  readonly reason?: string;
  readonly limit: number;
  readonly isJson: boolean;
}

/** Prints letters, or what became of them. Answers the exit code: 1 when some had to stay. */
export async function deadLetters(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const url = process.env.REDIS_URL ?? '';
  if (url === '') throw valueError('REDIS_URL', 'is missing: the Redis that holds the dead letters');
  const logger = createConsoleLogger({ level: 'silent' });
  const letters = createDeadLetters({
    ...{ url, clock: systemClock, logger, random: Math.random },
    ...(options.from === undefined ? {} : { rejectedStream: options.from }),
  });
  try {
    return options.isReplay ? await replay(letters, options) : await list(letters, options);
  } finally {
    await letters.close();
  }
}

async function list(deadLetters: DeadLetters, { reason, limit, isJson }: Options): Promise<number> {
  const { letters, cursor } = await deadLetters.list({ limit, ...(reason === undefined ? {} : { reason }) });
  if (isJson) {
    write(JSON.stringify({ letters: letters.map(deadLetterToWire), cursor }));
    return 0;
  }
  for (const { id, at, source, reason: why, attempts, cut, text } of letters) {
    const marks = `${attempts > 0 ? ` · put back ${attempts}×` : ''}${cut ? ' · cut' : ''}`;
    write(`${id}  ${at}  ${source ?? 'unknown origin'}${marks}\n  ${oneLine(why)}\n  ${oneLine(text)}`);
  }
  write(`${letters.length} dead letters${cursor === null ? '' : ', and more'}`);
  return 0;
}

async function replay(deadLetters: DeadLetters, { to, reason, limit, isJson }: Options): Promise<number> {
  const which = { limit, ...(to === undefined ? {} : { to }), ...(reason === undefined ? {} : { reason }) };
  const { replayed, refused, cursor } = await deadLetters.replay(which);
  if (isJson) write(JSON.stringify({ replayed, refused, cursor }));
  else {
    write(`${replayed} put back, ${refused.length} stay${cursor === null ? '' : ', and there are more'}`);
    for (const one of refused) process.stderr.write(`${one.id} stays: ${one.reason}\n`);
  }
  return refused.length > 0 ? 1 : 0;
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** What somebody else wrote must not write lines, or move the cursor, of the reader's terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{C}/gu, ' ').slice(0, limits.nameChars * 2);
}

const known = {
  replay: { type: 'boolean', default: false },
  from: { type: 'string' },
  to: { type: 'string' },
  reason: { type: 'string' },
  limit: { type: 'string', default: String(limits.pageDefault) },
  json: { type: 'boolean', default: false },
} as const;

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: known }).values;
  } catch (thrown) {
    throw new EngineError('ValueError', thrown instanceof Error ? thrown.message : 'wrong usage', { cause: thrown });
  }
}

function optionsOf(args: readonly string[]): Options {
  const values = valuesOf(args);
  const { from, to, reason } = values;
  if (to !== undefined && to !== 'stream' && to !== 'channel')
    throw valueError('--to', 'must be stream or channel', to);
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageMax) {
    throw valueError('--limit', `must be a whole number from 1 to ${limits.pageMax}`, values.limit);
  }
  return {
    isReplay: values.replay,
    isJson: values.json,
    limit,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(reason === undefined ? {} : { reason }),
  };
}

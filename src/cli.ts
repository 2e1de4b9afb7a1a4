#!/usr/bin/env node
/** The command line. Errors go to stderr with exit code 1, wrong usage with 2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { isLoopback } from './adapters/http/access';
import { startDemo } from './adapters/node-red/demo';
import { parseRedisUrl } from './adapters/redis/redis-target';
import { createConsoleLogger, type LogLevel, logLevels } from './adapters/system/console-logger';
import { backup } from './backup-command';
import { asEngineError, valueError } from './core/domain/errors';
import { deadLetters } from './dead-letters-command';
import { repartition } from './repartition-command';
import { replay } from './replay-command';
import { move, restore } from './restore-command';
import { verify } from './verify-command';

/** Commands that read all of a store; each answers its exit code. */
const keeping: ReadonlyMap<string, (args: readonly string[]) => Promise<number>> = new Map([
  ['verify', verify],
  ['backup', backup],
  ['restore', restore],
  ['move', move],
]);
/** Before the name of one of them: in this process. */
const here = 'here';

const usage = `strategy-engine COMMAND

  demo      Node-RED with a ready flow, a simulated market and the HTTP API
  replay    a market file through a strategy: one line of JSON per signal
            replay FILE --strategy TYPE [--param name=value …] [--symbol S] [--timeframe T] [--skip-bad] [--data DIR]
            with DIR it goes on where it was stopped
  dead-letters  what of Redis' input could not be used, listed or put back where it came from
            dead-letters [--from STREAM] [--replay] [--to stream|channel] [--reason TEXT] [--limit N] [--json]
            of the Redis that REDIS_URL names, where they are in strategy_engine:rejected unless told; a letter that was cut, or whose channel nobody hears, stays
  verify    whether all that a store keeps is whole, while its engine runs
            verify (--data DIR | --redis URL --name NAME [--data DIR of its tape]) [--json]
  backup    everything but the tape into one file, while the engine runs
            backup (--data DIR | --redis URL --name NAME) --out FILE
  restore   a backup into an empty place
            restore FILE (--data DIR | --redis URL --name NAME)
  move      from a directory into a Redis or back, after the engine was stopped; with --copy while it runs
            move --from (DIR | URL) --to (DIR | URL) [--name NAME in Redis] [--copy]
  repartition  a market that N engines share, over M; all of them stopped
            repartition --redis URL --name NAME --from N --to M [--stream NAME] [--dry-run] [--json]

Environment of demo: PORT (editor, 1880), API_PORT (8000), API_HOST (127.0.0.1), API_TOKEN, REDIS_URL, DATA_DIR (.data),
LOG_LEVEL (debug info warn error silent).
`;

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === 'demo') return demo();
  if (command === 'replay') {
    process.exitCode = await replay(rest);
    return;
  }
  if (command === 'dead-letters') process.exitCode = await deadLetters(rest);
  else if (command !== undefined && keeping.has(command)) process.exitCode = await apart(command, rest);
  else if (command === here) process.exitCode = await asTold(rest);
  else if (command === 'repartition') process.exitCode = await repartition(rest);
  else explain(command);
}

/** What a process dies of whose memory is a damaged file. */
const crashes: readonly (NodeJS.Signals | null)[] = ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE'];

/**
 * In a process of its own: the pages of an embedded log have no checksums, and following a damaged one ends whoever does.
 * That, too, is an answer.
 */
async function apart(command: string, args: readonly string[]): Promise<number> {
  const own = [...process.execArgv, __filename, here, command, ...args];
  const child = spawn(process.execPath, own, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const end = () => child.kill();
  process.once('exit', end);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  process.off('exit', end);
  if (!crashes.includes(signal)) return code ?? 1;
  const problem = `the file of the log is damaged: reading it ended the process (${signal})`;
  const report = { sound: false, checks: [{ check: 'events', checked: 'unknown', problem, note: null }] };
  if (command !== 'verify') process.stderr.write(`strategy-engine ${command}: ${problem}\n`);
  else process.stdout.write(args.includes('--json') ? `${JSON.stringify(report)}\n` : `DAMAGED: ${problem}\n`);
  return 1;
}

/** One of them in this process, which is over when the one that started it is: killed, it must not go on writing. */
async function asTold([command = '', ...args]: readonly string[]): Promise<number> {
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
  return (await keeping.get(command)?.(args)) ?? 2;
}

function explain(command: string | undefined): void {
  const asked = command === undefined || command === 'help' || command === '--help';
  (asked ? process.stdout : process.stderr).write(asked ? usage : `no command "${command}"\n\n${usage}`);
  process.exitCode = asked ? 0 : 2;
}

function portOf(name: string, fallback: number): number {
  const text = process.env[name] ?? '';
  if (text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw valueError(name, 'must be a port, 1 to 65535', text);
  return port;
}

function logLevel(): LogLevel {
  const level = process.env.LOG_LEVEL || 'info';
  if (!logLevels.includes(level as LogLevel))
    throw valueError('LOG_LEVEL', `must be one of ${logLevels.join(' ')}`, level);
  return level as LogLevel;
}

/** The URL may hold a password, so it is never repeated. */
function checkRedisUrl(): void {
  const url = process.env.REDIS_URL ?? '';
  if (url === '') return;
  try {
    parseRedisUrl(url);
  } catch {
    throw valueError('REDIS_URL', 'must be a redis://, rediss:// or redis-cluster:// URL');
  }
}

/** Refused here, and not by a node of the flow after the address was printed. */
function apiHost(): string {
  const host = process.env.API_HOST || '127.0.0.1';
  if (isLoopback(host) || (process.env.API_TOKEN ?? '') !== '') return host;
  throw valueError('API_HOST', 'must be a loopback address unless API_TOKEN is set', host);
}

/** As a browser on this machine can open it. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

async function demo(): Promise<void> {
  const port = portOf('PORT', 1880);
  const apiPort = portOf('API_PORT', 8000);
  const dataDir = resolve(process.env.DATA_DIR || '.data');
  const level = logLevel();
  const host = apiHost();
  checkRedisUrl();
  const logger = createConsoleLogger({ level });
  // Read by the ready flow, which names them in ${…}; an empty one is as good as none.
  process.env.API_PORT = String(apiPort);
  process.env.API_HOST = host;
  process.env.API_TOKEN ??= '';
  process.env.REDIS_URL ??= '';
  process.env.STRATEGY_ENGINE_STORE = join(dataDir, 'engine');
  const packageRoot = resolve(__dirname, '..', '..');
  const running = await startDemo({ port, dataDir, packageRoot, logger, logLevel: level });
  stopOn(['SIGINT', 'SIGTERM'], () => running.close());
  const redis =
    process.env.REDIS_URL === ''
      ? 'none (set REDIS_URL)'
      : 'as REDIS_URL says: strategy_engine_input in, strategy_engine_output out';
  process.stdout.write(
    [
      '',
      `Editor   http://127.0.0.1:${port}/`,
      `API      http://${urlHost(host)}:${apiPort}/api/strategy_engine/summary`,
      `Redis    ${redis}`,
      `Data     ${dataDir}`,
      'Stop     Ctrl-C',
      '',
    ].join('\n'),
  );
}

/** The first signal stops in order, a second one at once. */
function stopOn(signals: readonly NodeJS.Signals[], close: () => Promise<void>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`stopping failed: ${asEngineError(error).message}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of signals) process.on(signal, stop);
  if (process.env.npm_lifecycle_event !== undefined) withParent(stop);
}

/** npm passes a signal on to its shell only; without this, `npm start` would leave the engine behind when it is ended. */
function withParent(stop: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = asEngineError(error);
  const detail =
    known.code === 'InternalError' ? String((known.cause as Error | undefined)?.stack ?? known.cause) : known.message;
  process.stderr.write(`${detail}\n`);
  process.exitCode = 1;
});

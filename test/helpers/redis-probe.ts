/** What the tests of the Redis doors look through: a recorder, a quiet logger, a second client. */
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/adapters/redis/connection';
import type { FeedListener, FeedState, Gap, Logger } from '../../src/live/ports';

export interface Recorder extends FeedListener {
  readonly texts: string[];
  readonly states: { readonly state: FeedState; readonly message: string; readonly atMs: number }[];
  readonly gaps: Gap[];
  /** The state it is in now. */
  now(): FeedState | undefined;
}

/** Keeps all that a feed or an output says; `atMs` is monotonic. */
export function recorder(): Recorder {
  const texts: string[] = [];
  const states: Recorder['states'] = [];
  const gaps: Gap[] = [];
  return {
    texts,
    states,
    gaps,
    message: (text) => void texts.push(text),
    state: (state, message) => void states.push({ state, message, atMs: performance.now() }),
    gap: (gap) => void gaps.push(gap),
    now: () => states.at(-1)?.state,
  };
}

export interface LogLines extends Logger {
  readonly lines: string[];
}

export function logLines(): LogLines {
  const lines: string[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    lines.push(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`);
  };
  return { lines, debug: log, info: log, warn: log, error: log };
}

/** A plain client for the test's own questions; its errors are the test's to see as rejections only. */
export function probe(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 20 });
  client.on('error', () => {});
  return client;
}

/** Connections the server holds besides that of the asker. */
export async function otherClients(client: Redis): Promise<number> {
  const list = String(await client.client('LIST'));
  return list.trim().split('\n').length - 1;
}

/** Collects what would end the process. Call `check` at the end of a test file. */
export function watchRejections(): { readonly escaped: unknown[]; stop(): void } {
  const escaped: unknown[] = [];
  const note = (reason: unknown): void => void escaped.push(reason);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  return {
    escaped,
    stop() {
      process.off('unhandledRejection', note);
      process.off('uncaughtException', note);
    },
  };
}

/** Nobody watches over it: what fails is thrown as it is. */
export const bareConnection = (client: Redis): RedisConnection =>
  ({ client, refusal: () => null, errorOf: (thrown: unknown) => thrown }) as unknown as RedisConnection;

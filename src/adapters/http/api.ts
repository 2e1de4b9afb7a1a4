/** What the API is made with, and what its parts share. */
import { EngineError } from '../../core/domain/errors';
import type { Clock, Logger } from '../../live/ports';
import type { EngineDoor } from '../../wire/endpoint';
import type { BrowserRules } from './access';

/** The engine as the server needs it. */
export interface HttpEngine extends EngineDoor {
  countRequest(httpStatus: number): void;
  report(door: {
    readonly component: string;
    readonly health: 'up' | 'degraded' | 'down';
    readonly message: string;
  }): void;
  /** The door closed on purpose: it is no component any more. */
  forget(component: string): void;
}

/** One answered request. */
export interface Handled {
  readonly method: string;
  /** The endpoint's path (`/api/strategy/{id}`), or `null` when there is none. */
  readonly route: string | null;
  readonly status: number;
  readonly requestId: string;
  /** What was answered: the contract's body, or text. */
  readonly body: unknown;
}

/** The engine of this moment, or why there is none yet: an API answers from its first moment on. */
export type EngineSource = () => HttpEngine | EngineError;

export interface HttpApiOptions {
  readonly engine: HttpEngine | EngineSource;
  /** Address to listen on; beyond loopback only with a token. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly token?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes of a body; 1 MiB by default, at most 5. */
  readonly bodyLimitBytes?: number;
  /** Requests per second and caller, or `false` for none; by default none on loopback, else `limits.ratePerS`. */
  readonly rateLimit?: number | false;
  /** Origins whose pages may read answers; none by default. */
  readonly corsOrigins?: readonly string[];
  readonly onHandled?: (handled: Handled) => void;
}

export interface HttpApi {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** What every part of the server is handed. */
export interface Api {
  readonly options: HttpApiOptions;
  readonly engine: EngineSource;
  readonly maxBytes: number;
  /** The caller's request id where it is sane, else a new one. */
  readonly requestIdOf: (asked: string | readonly string[] | undefined) => string;
  readonly rules: BrowserRules;
  /** Whether the `Authorization` header lets a request in. */
  readonly isKnown: (authorization: string | undefined) => boolean;
  /** Requests per second and caller, or `null` for no limit. */
  readonly ratePerS: number | null;
}

/** When a request came, in both of the clock's times. */
export interface Arrival {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export function arrivalNow(clock: Clock): Arrival {
  return { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
}

/** One request being answered, whoever took it in. */
export interface Exchange {
  readonly method: string;
  /** Path of the endpoint, once it is known. */
  readonly route: string | null;
  readonly requestId: string;
  readonly arrival: Arrival;
  write(status: number, headers: Readonly<Record<string, string>>, text: string): void;
}

/** Counts an answer where there is an engine to count it. */
export function countRequest({ engine }: Api, httpStatus: number): void {
  const now = engine();
  if (!(now instanceof EngineError)) now.countRequest(httpStatus);
}

declare module 'fastify' {
  interface FastifyRequest {
    arrival: Arrival | null;
  }
}

/** What an endpoint is, and how one request becomes one reply: free of any server, so that nodes answer alike. */
import type { z } from 'zod';
import { asEngineError, EngineError, type ErrorType } from '../core/domain/errors';
import type { AssetType } from '../core/domain/tick';
import type { EngineVerbs } from '../core/domain/verbs';
import { errorBody, errorHeaders } from './error-body';
import { parseJson } from './json';
import { parseWith } from './problems';

/** The engine as the wire holds it: its verbs, and what only some of them can say. */
export interface EngineDoor extends EngineVerbs {
  metricsText?(): Promise<string>;
  /** Settings of single symbols that the border must know. */
  readonly marketRules?: {
    allowNegativePrice?(symbol: string): boolean;
    assetTypeOf?(symbol: string): AssetType;
  };
}

/** One request, whatever it came through. */
export interface WireRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  /** The body as JSON text; when it is given, `body` is not looked at. */
  readonly text?: string;
  /** The body as a value. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly nowMs: number;
  readonly requestId: string;
  /** Source of ticks that name none; `http` when absent. */
  readonly source?: string;
  /** Who is written into the log as having asked; `api` when absent. */
  readonly actor?: string;
  /** Bytes of a body; `limits.bodyBytesMax` when absent. */
  readonly maxBytes?: number;
}

export interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** An object to be sent as JSON, or text when the endpoint's `contentType` says so. */
  readonly body: unknown;
  /** What went wrong, for the log; the body already says of it what may be said. */
  readonly error: EngineError | null;
}

/** A request whose query and body have met their schemas. */
export interface EndpointInput<Q, B> {
  /** The `{id}` of the path. */
  readonly id: string;
  readonly query: Q;
  readonly body: B;
  readonly request: WireRequest;
  readonly actor: string;
  readonly idempotencyKey: string | undefined;
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{id}` stands for one segment. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  /** A request without a body is one with `{}`. */
  readonly bodyOptional: boolean;
  /** The body's fields beside `status`; `null` where the answer is not the contract's JSON. */
  readonly response: z.ZodObject | null;
  readonly contentType: string | null;
  /** What it may be refused with, beside what every route may be. */
  readonly errors: readonly ErrorType[];
  readonly hasIdempotencyKey: boolean;
  /** Answers the body beside `status`, by its names outside. */
  call(engine: EngineDoor, request: WireRequest): Promise<unknown>;
}

export interface EndpointSpec<Q extends z.ZodObject, B extends z.ZodType> {
  readonly route: `${Endpoint['method']} /api/${string}`;
  readonly operationId: string;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly bodyOptional?: boolean;
  /** The verb reads the body itself (`request.text` or `request.body`); the schema is documentation. */
  readonly readsBody?: boolean;
  readonly response: z.ZodObject | null;
  readonly contentType?: string;
  readonly errors?: readonly ErrorType[];
  readonly hasIdempotencyKey?: boolean;
  call(engine: EngineDoor, input: EndpointInput<z.output<Q>, z.output<B>>): unknown;
}

/** Puts an endpoint together: what its verb gets has met the schemas. */
export function defineEndpoint<Q extends z.ZodObject, B extends z.ZodType>(spec: EndpointSpec<Q, B>): Endpoint {
  const [method, path] = spec.route.split(' ') as [Endpoint['method'], string];
  return {
    method,
    path,
    operationId: spec.operationId,
    summary: spec.summary,
    query: spec.query ?? null,
    body: spec.body ?? null,
    bodyOptional: spec.bodyOptional ?? false,
    response: spec.response,
    contentType: spec.contentType ?? null,
    errors: spec.errors ?? [],
    hasIdempotencyKey: spec.hasIdempotencyKey ?? false,
    async call(engine, request) {
      return await spec.call(engine, {
        id: request.params?.id ?? '',
        query: (spec.query ? parseWith(spec.query, request.query ?? {}) : {}) as z.output<Q>,
        body: (spec.body && !spec.readsBody
          ? parseWith(spec.body, bodyOf(request, spec.bodyOptional ?? false))
          : undefined) as z.output<B>,
        request,
        actor: request.actor ?? 'api',
        idempotencyKey: header(request, 'idempotency-key'),
      });
    },
  };
}

function bodyOf(request: WireRequest, isOptional: boolean): unknown {
  if (request.text !== undefined) {
    return isOptional && request.text.trim() === '' ? {} : parseJson(request.text, request.maxBytes);
  }
  if (request.body !== undefined) return request.body;
  if (isOptional) return {};
  throw new EngineError('JSONDecodeError', 'the body is empty; JSON is expected');
}

function header(request: WireRequest, name: string): string | undefined {
  const value = request.headers?.[name];
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * One request through one endpoint. Never throws and never rejects: failures are replies with the contract's error body.
 */
export async function handle(endpoint: Endpoint, engine: EngineDoor, request: WireRequest): Promise<Reply> {
  try {
    const result = await endpoint.call(engine, request);
    if (endpoint.response === null) return success(result);
    return success({ status: 'success', ...(result as object) });
  } catch (thrown) {
    return failure(thrown, request.requestId, request.nowMs);
  }
}

const noHeaders = {};

function success(body: unknown): Reply {
  return { statusCode: 200, headers: noHeaders, body, error: null };
}

/** The reply for whatever was thrown. */
export function failure(thrown: unknown, requestId: string, nowMs: number): Reply {
  const error = asEngineError(thrown);
  return {
    statusCode: error.httpStatus,
    headers: errorHeaders(error),
    body: errorBody(error, requestId, nowMs),
    error,
  };
}

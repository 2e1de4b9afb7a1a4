/** The engine's API as nodes call it: the contract's bodies in, the contract's bodies out, without a server. */
import type { LiveEngine, Reply } from '../src/index';
import { EngineError, handle, matchEndpoint } from '../src/index';
import type { Message } from './message';
import { answer, requestIdOf } from './message';

type Raw = Readonly<Record<string, unknown>>;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Raw;
  readonly body?: unknown;
  readonly actor: string;
}

/** One call; rejects with the EngineError that the reply stands for. */
export async function ask(engine: LiveEngine, msg: Message, call: Call): Promise<Reply> {
  const match = matchEndpoint(call.method, call.path);
  if (!match.endpoint) throw new EngineError('NotFoundError', `no route ${call.method} ${call.path}`);
  const { query, body, actor } = call;
  const headers = (msg as { req?: { headers?: Record<string, string> } }).req?.headers ?? {};
  const reply = await handle(match.endpoint, engine, {
    params: match.params,
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
    headers,
    nowMs: Date.now(),
    requestId: requestIdOf(msg),
    actor,
  });
  if (reply.error) throw reply.error;
  return reply;
}

/** The message that carries a reply back. */
export function replied(msg: Message, reply: Reply, more: Raw = {}): Message {
  const headers = { ...reply.headers, 'x-request-id': requestIdOf(msg) };
  return answer(msg, reply.body, { statusCode: reply.statusCode, headers, ...more });
}

/** What the body, the message, the path of a request or the node's settings say, in this order; empty when none does. */
export function named(msg: Message, name: string, configured: string): string {
  const { payload, req } = msg as { payload?: unknown; req?: { params?: Raw; query?: Raw } };
  const body = typeof payload === 'object' && payload !== null ? (payload as Raw) : {};
  const short = name === 'strategy_id' || name === 'adaptation_id' ? 'id' : name;
  const found =
    configured !== ''
      ? configured
      : (msg[name] ?? req?.params?.[name] ?? req?.params?.[short] ?? body[name] ?? req?.query?.[name]);
  return found === undefined || found === null ? '' : String(found);
}

/** The payload as an object to be sent on: empty for anything that is none. */
export function bodyOf(msg: Message): Raw {
  const { payload } = msg;
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload) && !Buffer.isBuffer(payload)
    ? (payload as Raw)
    : {};
}

/** As `named`, for what the call cannot do without. */
export function required(msg: Message, name: string, configured: string): string {
  const value = named(msg, name, configured);
  if (value === '')
    throw new EngineError('ValueError', `${name} is required`, { details: [{ path: name, message: 'is required' }] });
  return value;
}

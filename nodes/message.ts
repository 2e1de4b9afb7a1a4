/** Messages that leave nodes: nothing that arrived is ever mutated. */
import { randomUUID } from 'node:crypto';
import type { NodeMessage } from 'node-red';
import { asEngineError, errorBody, errorHeaders } from '../src/index';

export type Message = NodeMessage & Record<string, unknown>;
/** One entry for each output: nothing, one message, or several. */
export type Outputs = readonly (Message | readonly Message[] | null)[];
export type Send = (outputs: Outputs) => void;

/** As Node-RED's Catch node wants it: a stable `code`, and the detail in `cause`. */
export function nodeError(thrown: unknown): Error {
  const error = asEngineError(thrown);
  const outward = new Error(error.message);
  outward.name = error.code;
  return Object.assign(outward, {
    code: error.code,
    cause: { error_type: error.code, message: error.message, details: error.details },
  });
}

const saneId = /^[A-Za-z0-9._-]{1,64}$/;

/** The id that a request came with, when it is sane, or one made for this message. */
export function requestIdOf(msg: Message): string {
  const sent = (msg as { req?: { headers?: Record<string, unknown> } }).req?.headers?.['x-request-id'];
  return typeof sent === 'string' && saneId.test(sent) ? sent : `req_${randomUUID()}`;
}

/** The error body, and what `http response` needs beside it, for a request that failed. */
export function errorAnswer(thrown: unknown, to: Message): [body: unknown, more: Readonly<Record<string, unknown>>] {
  const error = asEngineError(thrown);
  const requestId = requestIdOf(to);
  const headers = { ...errorHeaders(error), 'x-request-id': requestId };
  return [errorBody(error, requestId, Date.now()), { statusCode: error.httpStatus, headers }];
}

/** A message that answers another: its properties kept, its payload replaced, nothing of the original touched. */
export function answer(to: Message, payload: unknown, more: Readonly<Record<string, unknown>> = {}): Message {
  return { ...to, payload, ...more };
}

/** As `answer`, without the request: only a result port carries `req` and `res`. */
export function offshoot(to: Message, payload: unknown, more: Readonly<Record<string, unknown>> = {}): Message {
  const { req: _req, res: _res, _msgid, parts: _parts, ...rest } = to;
  return { ...rest, payload, ...more };
}

/** Numbers several messages from one input, so that a join node puts them together again. */
export function sequence(messages: readonly Message[], id: string): readonly Message[] {
  if (messages.length < 2) return messages;
  return messages.map((message, index) => ({
    ...message,
    parts: { id, index, count: messages.length, type: 'array' },
  }));
}

const ofProcess = randomUUID().slice(0, 8);
let batches = 0;

/** Unlike any other of this process, and of the one before it. */
export function nextBatchId(): string {
  batches++;
  return `${ofProcess}-${batches}`;
}

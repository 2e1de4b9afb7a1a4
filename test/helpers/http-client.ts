/** Requests of tests: plain `node:http`, and raw bytes for what no client would send. */
import http from 'node:http';
import net from 'node:net';
import { createHttpApi, type HttpApi, type HttpApiOptions } from '../../src/adapters/http/server';
import { systemClock } from '../../src/adapters/system/clock';
import type { Logger } from '../../src/live/ports';
import { type FakeEngine, fakeEngine } from './fake-engine';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The JSON body, or `{}`. */
  readonly body: Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: http.Agent;
}

const json = { 'content-type': 'application/json' };

/** One request on a connection of its own. A body is JSON unless its headers say otherwise. */
export function call(port: number, path: string, { method, body, headers, agent }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...(body === undefined ? {} : json), ...headers },
        agent: agent ?? false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: jsonOf(text) });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Writes bytes, and answers everything that came back until the other side closed (or `doneMs` passed). */
export function rawCall(port: number, bytes: string | Buffer, doneMs = 6_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const timer = setTimeout(() => socket.destroy(new Error(`nothing within ${doneMs} ms, but: ${text}`)), doneMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

/** The JSON body of a raw response. */
export function rawBody(text: string): Record<string, unknown> {
  return jsonOf(text.slice(text.indexOf('\r\n\r\n') + 4));
}

/** What was logged, as text. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { lines, debug: log, info: log, warn: log, error: log };
}

export interface Started {
  readonly api: HttpApi;
  readonly engine: FakeEngine;
  readonly log: string[];
}

/** A server on a free loopback port over a fake engine. */
export async function startApi(options: Partial<HttpApiOptions> = {}): Promise<Started> {
  const engine = fakeEngine();
  const logger = recordingLogger();
  const api = await createHttpApi({ engine, host: '127.0.0.1', port: 0, clock: systemClock, logger, ...options });
  return { api, engine, log: logger.lines };
}

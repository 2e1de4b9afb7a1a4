/** Who may ask: the token, the loopback rule, and which pages in a browser. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { EngineError } from '../../core/domain/errors';

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  return isIP(name) === 4 ? name.startsWith('127.') : /^::ffff:127\./.test(name);
}

const bearer = /^Bearer +([^\s]+) *$/i;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether an `Authorization` header bears the token; the comparison takes the same time wherever it differs. */
export function tokenCheck(token: string | undefined): (authorization: string | undefined) => boolean {
  if (token === undefined || token === '') return () => true;
  const expected = digest(token);
  return (authorization) => timingSafeEqual(expected, digest(bearer.exec(authorization ?? '')?.[1] ?? ''));
}

/** The name in a `Host` header or an origin, without port and brackets. */
function hostName(authority: string): string {
  return authority
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
}

export interface BrowserRules {
  /** Origins that may read answers; `*` is any. */
  readonly corsOrigins: readonly string[];
  /** Without a token on loopback, only names of this machine are served: a page cannot rebind its own name to us. */
  readonly ownNamesOnly: boolean;
  readonly host: string;
}

/** The value of `Access-Control-Allow-Origin`, or `null`. */
export function allowedOrigin(rules: BrowserRules, origin: string | undefined): string | null {
  if (origin === undefined) return null;
  return rules.corsOrigins.includes(origin) || rules.corsOrigins.includes('*') ? origin : null;
}

/**
 * Refuses what a browser sends on behalf of a page that was not let in. Other clients send no `Origin`.
 * @throws EngineError `BadRequestError`.
 */
export function checkBrowser(
  rules: BrowserRules,
  method: string,
  host: string | undefined,
  origin: string | undefined,
): void {
  if (rules.ownNamesOnly && host !== undefined) {
    const name = hostName(host);
    if (!isLoopback(name) && name !== rules.host) {
      throw new EngineError(
        'BadRequestError',
        'the Host header names another machine; set a token to be served under it',
      );
    }
  }
  if (origin === undefined || method === 'GET' || method === 'HEAD') return;
  const isOwn = origin === `http://${host}` || origin === `https://${host}`;
  if (isOwn || allowedOrigin(rules, origin) !== null) return;
  throw new EngineError('BadRequestError', 'requests from pages of this origin are not allowed; it is not configured');
}

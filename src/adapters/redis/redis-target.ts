/** Where a Redis is, as its URL says: one server, or the nodes of a cluster. */
import { valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisTarget {
  /** One, or on a cluster those that are asked first who owns what. */
  readonly nodes: readonly [RedisAddress, ...RedisAddress[]];
  readonly isCluster: boolean;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

const forms = /^(redis|rediss)(-cluster)?:\/\/(?:([^@/]*)@)?([^@/]*)(?:\/(.*))?$/;
const mustBe = 'must be a redis://, rediss://, redis-cluster:// or rediss-cluster:// URL';

/**
 * Reads `redis[s]://[user:password@]host[:port][/database]` and `redis[s]-cluster://[user:password@]host:port,host:port`.
 * Throws a `ValueError` that never repeats it, since it may hold a password.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, cluster, user, hosts, rest = ''] = forms.exec(url.trim()) ?? [];
  if (scheme === undefined || hosts === undefined) throw valueError('url', mustBe);
  const isCluster = cluster !== undefined;
  const names = hosts.split(',');
  if (names.length > (isCluster ? limits.redisNodesAsked : 1)) {
    throw valueError('url', isCluster ? `must name at most ${limits.redisNodesAsked} nodes` : mustBe);
  }
  if (names.length > 1 && names.includes('')) throw valueError('url', mustBe);
  const [first, ...others] = names.map(addressOf) as [RedisAddress, ...RedisAddress[]];
  const database = rest.replace(/\?.*$/, '');
  if (!/^\d{0,4}$/.test(database)) throw valueError('url', 'must end in a database number or nothing');
  if (isCluster && Number(database) !== 0) throw valueError('url', 'must not name a database: a cluster has only one');
  const [username, password] = credentialsOf(user);
  return {
    nodes: [first, ...others],
    isCluster,
    db: Number(database),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(scheme === 'rediss' ? { tls: {} } : {}),
  };
}

function addressOf(text: string): RedisAddress {
  let parsed: URL;
  try {
    parsed = new URL(`redis://${text}`);
  } catch {
    throw valueError('url', mustBe);
  }
  return {
    host: parsed.hostname === '' ? '127.0.0.1' : parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
  };
}

function credentialsOf(user = ''): [username: string, password: string] {
  const [name = '', ...secret] = user.split(':');
  try {
    return [decodeURIComponent(name), decodeURIComponent(secret.join(':'))];
  } catch {
    throw valueError('url', 'must have its user and password percent-encoded');
  }
}

/** The URL with this password, whether or not it has one already; unchanged when it is none. */
export function redisUrlWithPassword(url: string, password: string): string {
  const [, scheme, cluster = '', user = '', hosts, rest] = forms.exec(url.trim()) ?? [];
  if (scheme === undefined || hosts === undefined) return url;
  const [name = ''] = user.split(':');
  const tail = rest === undefined ? '' : `/${rest}`;
  return `${scheme}${cluster}://${name}:${encodeURIComponent(password)}@${hosts}${tail}`;
}

/** Answers a function that takes the credentials of `url` out of any text. */
export function redactor(url: string): (text: string) => string {
  const secrets = new Set<string>();
  const [, , , user = ''] = forms.exec(url.trim()) ?? [];
  const password = user.split(':').slice(1).join(':');
  if (password !== '') secrets.add(password);
  try {
    if (password !== '') secrets.add(decodeURIComponent(password));
  } catch {
    // Not encoded as it should be: then it stands as it is.
  }
  return (text) => {
    let clean = text.replace(/:\/\/[^\s/]*@/g, '://***@');
    for (const secret of secrets) clean = clean.replaceAll(secret, '***');
    return clean;
  };
}

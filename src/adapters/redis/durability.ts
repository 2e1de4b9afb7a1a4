/** What a Redis keeps of what it acknowledged, read from its own settings; what it does not tell is `unknown`. */
import type { Durability } from '../../live/ports';
import type { RedisConnection } from './connection';

interface Settings {
  readonly appendonly: string;
  readonly appendfsync: string;
  readonly policy: string;
  readonly maxmemory: string;
}

const asked = ['appendonly', 'appendfsync', 'maxmemory-policy', 'maxmemory'] as const;

/** The value behind `name:` on a line of its own. */
function lineOf(info: string, name: string): string | undefined {
  const line = info.split(/\r?\n/).find((one) => one.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** Many hosted servers forbid CONFIG; INFO tells whether there is an AOF, and the policy. */
async function readSettings(client: RedisConnection['client']): Promise<Settings> {
  const found = new Map<string, string>();
  for (const name of asked) {
    const answer: unknown = await client.config('GET', name).catch(() => []);
    const pair = Array.isArray(answer) ? answer : Object.entries(answer ?? {}).flat();
    if (pair.length >= 2) found.set(name, String(pair[1]));
  }
  if (!found.has('appendonly')) {
    const info = await client.info().catch(() => '');
    const line = (name: string) => lineOf(info, name);
    const aof = line('aof_enabled');
    if (aof !== undefined) found.set('appendonly', aof === '1' ? 'yes' : 'no');
    for (const [name, field] of [
      ['maxmemory-policy', 'maxmemory_policy'],
      ['maxmemory', 'maxmemory'],
    ] as const) {
      const value = line(field);
      if (value !== undefined) found.set(name, value);
    }
  }
  const of = (name: (typeof asked)[number]) => found.get(name) ?? '';
  return {
    appendonly: of('appendonly'),
    appendfsync: of('appendfsync'),
    policy: of('maxmemory-policy'),
    maxmemory: of('maxmemory'),
  };
}

const base = { kind: 'redis', survivesProcessKill: true } as const;

export const unknownDurability: Durability = {
  ...base,
  survivesStoreKill: 'unknown',
  survivesPowerLoss: 'unknown',
  text: 'in Redis; whether Redis keeps it (AOF, eviction) is not known',
};

interface Fsync {
  /** @param isKept whether this process keeps the last events in a folder of its own, too */
  readonly words: (isKept: boolean) => string;
  readonly survives: boolean;
}

const fsyncs: Readonly<Record<string, Fsync>> = {
  always: { words: () => 'synced before every answer: survives kill -9 of Redis and power loss', survives: true },
  everysec: {
    words: (isKept) =>
      `synced every second: kill -9 of Redis costs nothing${isKept ? ', also together with the engine' : ' while the engine lives'}, which writes again what a busy disk kept from the AOF; power loss may cost two seconds`,
    survives: false,
  },
  no: {
    words: () => 'synced when the system likes: survives kill -9 of Redis; power loss may cost half a minute',
    survives: false,
  },
};

/** Pure: what the settings mean. A bound of memory whose policy takes any key away may take the log. */
export function durabilityOf({ appendonly, appendfsync, policy, maxmemory }: Settings, isKept: boolean): Durability {
  const evicts = policy.startsWith('allkeys') && maxmemory !== '0' && maxmemory !== '';
  if (evicts) {
    const text = `in Redis with maxmemory-policy ${policy}: it may throw the log away when its memory is full; set noeviction`;
    return { ...base, survivesStoreKill: false, survivesPowerLoss: false, text };
  }
  if (appendonly === 'no') {
    const text = 'in Redis without AOF: kill -9 of Redis loses what came since its last save; set appendonly yes';
    return { ...base, survivesStoreKill: false, survivesPowerLoss: false, text };
  }
  if (appendonly !== 'yes') return unknownDurability;
  const fsync = fsyncs[appendfsync];
  if (fsync === undefined) {
    const text = 'in Redis with AOF: survives kill -9 of Redis; how often it is synced is not known';
    return { ...base, survivesStoreKill: true, survivesPowerLoss: 'unknown', text };
  }
  return {
    ...base,
    survivesStoreKill: true,
    survivesPowerLoss: fsync.survives,
    text: `in Redis with AOF, ${fsync.words(isKept)}`,
  };
}

/** Asks the server; `unknown` when it does not answer. Never rejects. */
export async function readDurability(client: RedisConnection['client'], isKept: boolean): Promise<Durability> {
  try {
    return durabilityOf(await readSettings(client), isKept);
  } catch {
    return unknownDurability;
  }
}

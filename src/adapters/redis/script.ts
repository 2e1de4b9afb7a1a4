/** A Lua script by its hash: the text travels only when a server does not know it yet. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Script {
  run(client: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown>;
}

export function createScript(text: string): Script {
  const sha = createHash('sha1').update(text).digest('hex');
  return {
    async run(client, keys, args) {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...args);
      } catch (thrown) {
        // Refused before it ran: nothing happened, so sending it whole does not do it twice.
        if (!(thrown instanceof Error) || !thrown.message.startsWith('NOSCRIPT')) throw thrown;
        return client.eval(text, keys.length, ...keys, ...args);
      }
    },
  };
}

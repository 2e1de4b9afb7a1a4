/** Dead letters by message: listed, and put back where they came from. */
import { z } from 'zod';
import { createDeadLetters, deadLetterToWire, EngineError, limits, systemClock } from '../src/index';
import type { Message } from './message';
import { answer } from './message';
import { bodyOf } from './request';
import { problem } from './settings';
import type { EngineNode, Shell } from './shell';

export const letterOperations = ['dead_letters', 'replay_dead_letters'] as const;

const query = z.object({
  reason: z.string().max(limits.receivedChars).optional(),
  limit: z.coerce.number().int().min(1).max(limits.pageMax).optional(),
  cursor: z.string().optional(),
  to: z.enum(['stream', 'channel']).optional(),
  from: z.string().min(1).max(limits.nameChars).optional(),
});

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** The answer to one of the operations, from the Redis of the node's engine. */
export async function dealWithLetters(
  shell: Shell<{ readonly engine: string }>,
  operation: (typeof letterOperations)[number],
  msg: Message,
): Promise<Message> {
  const holder = shell.RED.nodes.getNode(shell.config.engine) as EngineNode | null;
  const url = holder?.redisUrl;
  if (!url) throw new EngineError('ValueError', 'the engine has no Redis, and so no dead letters');
  const parsed = query.safeParse(bodyOf(msg));
  if (!parsed.success) throw problem(parsed.error, 'payload');
  const { from, ...rest } = parsed.data;
  const asked = defined(rest);
  const edges = { clock: systemClock, logger: shell.log, random: Math.random };
  const letters = createDeadLetters({ url, ...edges, ...defined({ rejectedStream: from }) });
  try {
    if (operation === 'dead_letters') {
      const page = await letters.list(asked);
      const body = { status: 'success', letters: page.letters.map(deadLetterToWire), cursor: page.cursor };
      return answer(msg, body, { statusCode: 200, topic: operation });
    }
    return answer(msg, { status: 'success', ...(await letters.replay(asked)) }, { statusCode: 200, topic: operation });
  } finally {
    await letters.close();
  }
}

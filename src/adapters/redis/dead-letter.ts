/** How a message that could not be used is kept in Redis: its text, why, when, where it came from. */
import type { RejectedMessage } from '../../live/ports';
import { cutText } from './publish-script';

export const rejectedStreamDefault = 'strategy_engine:rejected';

/** Fields of the entry. One that was cut says so: what is left of it is not what was sent. */
export function letterFields(message: RejectedMessage & { readonly attempts?: number }): string[] {
  const { text, reason, atMs, source, attempts = 0 } = message;
  const data = cutText(text);
  const at = new Date(atMs).toISOString();
  return [
    ...['data', data, 'reason', cutText(reason), 'at', at],
    ...(source === undefined ? [] : ['source', source]),
    ...(attempts === 0 ? [] : ['attempts', String(attempts)]),
    ...(data.length === text.length ? [] : ['cut', '1']),
  ];
}

/**
 * Acknowledges an entry and keeps it as a dead letter, both or neither, once: only while the entry waits in the group. What
 * may be refused (no memory, a wrong type) comes first, so that nothing is half done.
 * KEYS input stream, rejected stream · ARGV group, entry, letters kept, then the fields.
 */
export const refuseScript = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
local fields = {}
for i = 4, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(fields))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 1`;

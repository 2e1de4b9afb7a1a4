/** What leaves for Redis: the script that makes publishing happen once, and the cut of dead letters. */
import { limits } from '../../core/domain/limits';
import { createScript } from './script';

/**
 * Per signal: known id → 0; else stream, memory, channel → 1, or 2 when the channel refused; 3 when the lease is not the
 * one that was asked for: another process speaks for the engine. The stream comes before the memory so that a refused
 * write leaves nothing behind; all keys are read first, so that a wrong type fails early.
 * KEYS ids, stream, lease · ARGV channel, ids kept, entries kept, lease or '', then id and text of each signal.
 */
export const publishScript = createScript(`
local answers = {}
local fenced = ARGV[4] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[4]
for i = 5, #ARGV, 2 do
  if fenced then
    answers[#answers + 1] = 3
  elseif redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    answers[#answers + 1] = 0
  else
    local entry = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'signal_id', ARGV[i], 'data', ARGV[i + 1])
    redis.call('ZADD', KEYS[1], string.match(entry, '^%d+'), ARGV[i])
    local heard = redis.pcall('PUBLISH', ARGV[1], ARGV[i + 1])
    answers[#answers + 1] = type(heard) == 'table' and 2 or 1
  end
end
if fenced then return answers end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
return answers`);

/** At most `deadLetterChars` bytes of UTF-8, never half a character. */
export function cutText(text: string): string {
  const bytes = Buffer.from(text.slice(0, limits.deadLetterChars).replace(/[\ud800-\udbff]$/, ''));
  if (bytes.length <= limits.deadLetterChars) return bytes.toString();
  let end = limits.deadLetterChars;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

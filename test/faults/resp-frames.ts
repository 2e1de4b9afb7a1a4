/** The wire of Redis, as far as a fault needs it: where a reply ends, and what a command says. */

const CR = 13;

function lineEnd(bytes: Buffer, at: number): number {
  for (let i = at; i + 1 < bytes.length; i++) if (bytes[i] === CR) return i + 2;
  return -1;
}

/** How many values follow one of this kind and length. */
function inner(kind: string, count: number): number {
  if (kind === '%') return count * 2;
  // An attribute comes before the value that it describes.
  if (kind === '|') return count * 2 + 1;
  return count;
}

/** Index behind the reply (RESP2 or RESP3) that begins at `at`; -1 while it is not all there. */
export function frameEnd(bytes: Buffer, at: number): number {
  let end = at;
  for (let open = 1; open > 0; open--) {
    const line = lineEnd(bytes, end);
    if (line === -1) return -1;
    const kind = String.fromCharCode(bytes[end] ?? 0);
    const count = Number(bytes.toString('latin1', end + 1, line - 2));
    end = line;
    if ('$=!'.includes(kind) && count >= 0) end += count + 2;
    else if ('*~>%|'.includes(kind) && count > 0) open += inner(kind, count);
    if (end > bytes.length) return -1;
  }
  return end;
}

/** The command that begins at `at` as texts, and where it ends; `null` while it is not all there. */
export function commandAt(
  bytes: Buffer,
  at: number,
): { readonly words: readonly string[]; readonly end: number } | null {
  const end = frameEnd(bytes, at);
  if (end === -1) return null;
  const line = lineEnd(bytes, at);
  if (bytes[at] !== '*'.charCodeAt(0)) return { words: bytes.toString('utf8', at, line - 2).split(' '), end };
  const words: string[] = [];
  for (let from = line; from < end; ) {
    const head = lineEnd(bytes, from);
    const length = Number(bytes.toString('latin1', from + 1, head - 2));
    words.push(bytes.toString('utf8', head, head + length));
    from = head + length + 2;
  }
  return { words, end };
}

const told = /^(?:>\d+\r\n|\*\d+\r\n\$\d+\r\n(?:message|pmessage|smessage|subscribe|unsubscribe)\r\n)/;

/** Whether a frame is said by itself rather than in answer to the oldest open command. */
export function isPush(frame: Buffer): boolean {
  return told.test(frame.toString('latin1', 0, 40));
}

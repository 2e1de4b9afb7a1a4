/** Writes again what Redis had acknowledged and came back without, with the numbers, versions and seals that it had. */
import { limits } from '../../core/domain/limits';
import { codedEvent, type LogCommands } from './log-commands';
import { eventOf, type LogEntry } from './log-entry';
import { RecentEvents } from './recent-events';

/** Answers how many were; `null` when the log went on differently, or more is gone than is remembered. */
export async function putBack(commands: LogCommands, recent: RecentEvents): Promise<number | null> {
  let last = await commands.newest();
  const gone = recent.behind(last.seq, last.seal);
  if (gone === null) return null;
  for (let at = 0; at < gone.length; at += limits.eventsPerAppend) {
    const entries = gone.slice(at, at + limits.eventsPerAppend);
    const events = entries.map((entry) => ({ ...eventOf(entry), expectedVersion: entry.version - 1 }));
    const answer = await commands.append(events.map(codedEvent), last);
    // Another process may have put some of them back at the same time: those are known, under the same numbers.
    const isSame = ({ seq }: LogEntry, i: number) =>
      Array.isArray(answer) && answer[2 + 3 * i] !== 'c' && answer[3 + 3 * i] === seq;
    if (!entries.every(isSame)) return null;
    last = entries.at(-1) ?? last;
  }
  return gone.length;
}

export interface Recovered {
  readonly putBack: number;
  /** Those that are gone for good, because the log went on without them. */
  readonly lost: readonly LogEntry[];
}

/** At the start, with what the last life of this process has left of the log's end. */
export async function recoverLog(commands: LogCommands, found: readonly LogEntry[]): Promise<Recovered> {
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return { putBack: 0, lost: [] };
  const sealsFrom = async (seq: number, count: number) =>
    new Set((await commands.range(seq, count)).map(([, [, , , , , seal]]) => seal));
  if ((await sealsFrom(last.seq, 1)).has(last.seal)) return { putBack: 0, lost: [] };
  const recent = new RecentEvents();
  for (const entry of found) recent.add(entry);
  const count = await putBack(commands, recent);
  if (count !== null) return { putBack: count, lost: [] };
  const stored = await sealsFrom(first.seq, found.length);
  return { putBack: 0, lost: found.filter(({ seal }) => !stored.has(seal)) };
}

/** Writes again what Redis had acknowledged and came back without, with the numbers, versions and seals that it had. */
import { limits } from '../../core/domain/limits';
import { codedEvent, type LogCommands } from './log-commands';
import { eventOf, type LogEntry } from './log-entry';
import type { RecentEvents } from './recent-events';

export interface PutBack {
  /**
   * The log is `whole`: it has all that is known; or `short`: it ends before something known that does not follow on its end,
   * which another process may still put there; or `other`: it went on differently.
   */
  readonly log: 'whole' | 'short' | 'other';
  /** Events that were written again. */
  readonly events: number;
  /** Number of the log's last event when it was looked at last. */
  readonly end: number;
}

/** As much as follows on what there is. Other processes may do the same at the same time. */
export async function putBack(commands: LogCommands, recent: RecentEvents): Promise<PutBack> {
  let before = -1;
  for (let events = 0; ; ) {
    const last = await commands.newest();
    const end = last.seq;
    // What was sent again and is not there now never will be: its id is known, and the event is not.
    if (end === before) return { log: 'other', events, end };
    before = end;
    const known = recent.upTo(end);
    if (known !== undefined && !(await isStored(commands, known))) return { log: 'other', events, end };
    if (end >= recent.newest.seq) return { log: await judged(commands, recent), events, end };
    // Without one event that both have, this may be the log of another engine.
    const next = known === undefined && end > 0 ? [] : recent.behind(end, limits.eventsPerAppend);
    if (next.length === 0) return { log: 'short', events, end };
    const again = next.map((entry) => codedEvent({ ...eventOf(entry), expectedVersion: entry.version - 1 }));
    const answer = await commands.append(again, last);
    if (Array.isArray(answer) && answer[0] === 'lost') continue;
    const kinds = outcomesOf(answer, next);
    if (kinds === null) return { log: 'other', events, end };
    events += kinds.filter((kind) => kind === 'a').length;
  }
}

/** The newest alone does not say so: what lay before it may have been left out, and come again under the same numbers. */
async function judged(commands: LogCommands, recent: RecentEvents): Promise<'whole' | 'other'> {
  return (await missingOf(commands, recent.all())).length === 0 ? 'whole' : 'other';
}

async function isStored(commands: LogCommands, { seq, seal }: LogEntry): Promise<boolean> {
  const [first] = await commands.range(seq, 1);
  return first?.[0] === `${seq}-0` && first[1][5] === seal;
}

/** `null` unless each is there now under its own number: written again here, or by another process a moment ago. */
function outcomesOf(answer: unknown, entries: readonly LogEntry[]): unknown[] | null {
  if (!Array.isArray(answer)) return null;
  const isThere = ({ seq }: LogEntry, i: number) => answer[2 + 3 * i] !== 'c' && answer[3 + 3 * i] === seq;
  return entries.every(isThere) ? entries.map((_, i) => answer[2 + 3 * i]) : null;
}

/** Those that the log has not, of entries in order. */
export async function missingOf(commands: LogCommands, entries: readonly LogEntry[]): Promise<readonly LogEntry[]> {
  const stored = new Set<string | undefined>();
  let looked = 0;
  for (const { seq } of entries) {
    if (seq <= looked) continue;
    for (const [, fields] of await commands.range(seq, limits.eventsPerPage)) stored.add(fields[5]);
    looked = seq + limits.eventsPerPage - 1;
  }
  return entries.filter(({ seal }) => !stored.has(seal));
}

/**
 * Whether all that is kept is whole: every event, how they are numbered and chained, what the store notes beside them,
 * every snapshot, the tape, and whether a snapshot and the log tell the same. Reads in pages and writes nothing.
 */
import { createCore } from '../../core/create';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';
import { foldVersion, restore } from '../../core/snapshot';
import type { CoreState } from '../../core/state';
import type { Snapshot } from '../ports';
import { createLogCheck, type Finding, foldNamed, type LogCheck } from './log-check';
import { comparable, type TotalPnl, totalPnl } from './totals';
import type { VerifiableStore } from './verifiable';

export interface CheckRow {
  readonly check: string;
  /** What was looked at, for people. */
  readonly checked: string;
  /** The first thing that is wrong, by its name; `null` when nothing is. */
  readonly problem: string | null;
  readonly note: string | null;
}

export interface VerifyReport {
  readonly sound: boolean;
  readonly events: number;
  readonly strategies: number;
  readonly totalPnl: readonly TotalPnl[];
  readonly checks: readonly CheckRow[];
}

/** Told after every page of the log and every file of the tape. */
export type Progress = (done: number, of: number, what: string) => void;

/** What is left unsaid once something before it is damaged. */
const unjudged = 'not judged: the events cannot all be read';

export async function verifyStore(store: VerifiableStore, progress: Progress = () => undefined): Promise<VerifyReport> {
  // Before the log: whatever a set knows is then in the log, however busy its owner is.
  const sets = await checkSets(store);
  const log = await checkLog(store, sets.core, progress);
  const checks = [...log.rows, sets.row(log.check.events), ...foldRows(log.check, sets, log.isReadable)];
  checks.push(await checkTape(store, progress));
  const { events, core } = log.check;
  return {
    sound: checks.every(({ problem }) => problem === null),
    events,
    strategies: core.records.byId.size,
    totalPnl: totalPnl(core),
    checks,
  };
}

interface Sets {
  /** The state of the newest whole set, to be folded on; `null` when there is none to compare. */
  readonly core: CoreState | null;
  readonly why: string;
  row(lastSeq: number): CheckRow;
}

async function checkSets(store: VerifiableStore): Promise<Sets> {
  let sets = 0;
  let chunks = 0;
  let problem: Finding = null;
  let newest: Snapshot | null = null;
  for await (const set of store.sets()) {
    sets++;
    chunks += set.chunks;
    problem ??= set.problem;
    newest ??= set.snapshot;
  }
  const restored = restoredOf(newest);
  problem ??= restored.problem;
  const knows = newest?.meta.logSeq ?? 0;
  return {
    ...restored,
    row: (lastSeq) => ({
      check: 'snapshots',
      checked: `${count(sets, 'set')}, ${count(chunks, 'chunk')}`,
      problem: problem ?? (knows > lastSeq ? `a snapshot knows event ${knows}, and the log ends at ${lastSeq}` : null),
      note: null,
    }),
  };
}

function restoredOf(snapshot: Snapshot | null): { core: CoreState | null; why: string; problem: Finding } {
  const none = { core: null, problem: null };
  if (snapshot === null) return { ...none, why: 'there is no whole snapshot to compare with' };
  const { meta, chunks } = snapshot;
  if (meta.foldVersion !== foldVersion) return { ...none, why: `the snapshot is of fold version ${meta.foldVersion}` };
  const core = createCore();
  try {
    // The market has no other witness here, and its strategies may be of types that only the engine's owner defines.
    restore(core, new Map([...chunks].filter(([name]) => name === 'rest' || name === 'ledger')));
    return { core, why: '', problem: null };
  } catch (error) {
    return {
      ...none,
      why: 'the snapshot cannot be read',
      problem: `the newest snapshot cannot be read: ${text(error)}`,
    };
  }
}

async function checkLog(store: VerifiableStore, other: CoreState | null, progress: Progress) {
  const { log } = store;
  const check = createLogCheck();
  const lastSeq = await log.lastSeq();
  let forgotten: Finding = null;
  /** Reads on to `toSeq`; answers what stopped it. */
  const readTo = async (toSeq: number): Promise<Finding> => {
    while (check.events < toSeq) {
      try {
        const page = await log.read(check.events, Math.min(limits.eventsPerPage, toSeq - check.events));
        if (page.length === 0) return `event ${check.events + 1} of the log is missing`;
        const seq = await store.forgotten(page);
        if (seq !== null) forgotten ??= `the id of event ${seq} is not remembered: a retry of it would count again`;
        for (const event of page) {
          check.take(event);
          if (other !== null) foldNamed(other, event);
        }
      } catch (error) {
        return damageIn(error);
      }
      progress(check.events, toSeq, 'events');
    }
    return null;
  };
  const unreadable = await readTo(lastSeq);
  const noted = unreadable === null ? await checkNoted(store, check, readTo) : null;
  const { found } = check;
  const old = check.unlinked > 0 ? `${check.unlinked} are of before there was a chain` : null;
  const rows: CheckRow[] = [
    row('events', count(check.events, 'event'), unreadable ?? found.numbering),
    row('versions', count(check.versions.size, 'aggregate'), found.versions ?? noted, unreadable && unjudged),
    row('ids', count(check.events, 'id'), found.ids ?? forgotten, unreadable && unjudged),
    row('chain', count(check.linked, 'link'), found.chain, unreadable === null ? old : unjudged),
  ];
  return { check, rows, isReadable: unreadable === null };
}

/**
 * The store's own notes of the versions against the events. Its owner may append meanwhile, so each note must lie
 * between the version before it was read and the one after.
 */
async function checkNoted(
  store: VerifiableStore,
  check: LogCheck,
  readTo: (seq: number) => Promise<Finding>,
): Promise<Finding> {
  const before = new Map(check.versions);
  const noted = new Map<string, number>();
  try {
    for (const aggregate of before.keys()) noted.set(aggregate, await store.versionOf(aggregate));
  } catch (error) {
    return damageIn(error);
  }
  const isMoved = [...before].some(([aggregate, version]) => noted.get(aggregate) !== version);
  const stopped = isMoved ? await readTo(await store.log.lastSeq()) : null;
  if (stopped !== null) return stopped;
  for (const [aggregate, version] of before) {
    const note = noted.get(aggregate) ?? 0;
    const after = check.versions.get(aggregate) ?? version;
    if (note < version || note > after)
      return `"${aggregate}" is noted at version ${note}, and its events end at ${after}`;
  }
  return null;
}

/** The state from the log alone beside the one from the newest snapshot and the rest of the log. */
function foldRows({ core }: LogCheck, sets: Sets, isReadable: boolean): CheckRow[] {
  const fromLog = comparable(core);
  const fromSnapshot = sets.core === null ? null : comparable(sets.core);
  const strategies = core.records.byId.size;
  const executions = [...core.ledger.all.values()].reduce((sum, { tally }) => sum + tally.executions, 0);
  const names = [
    ['registry', count(strategies, 'strategy', 'strategies')],
    ['ledger', count(executions, 'execution')],
    ['audit', count(core.audit.total, 'adaptation')],
  ] as const;
  return names.map(([name, checked]) => {
    if (!isReadable) return row(name, checked, null, unjudged);
    if (fromSnapshot === null) return row(name, checked, null, `not compared: ${sets.why}`);
    const differs = fromLog[name] !== fromSnapshot[name];
    return row(name, checked, differs ? `the newest snapshot tells another ${name} than the log` : null);
  });
}

async function checkTape(store: VerifiableStore, progress: Progress): Promise<CheckRow> {
  let files = 0;
  let records = 0;
  let problem: Finding = null;
  let note: Finding = null;
  for await (const stretch of store.tape()) {
    files++;
    records += stretch.records;
    problem ??= stretch.problem;
    note ??= stretch.note;
    progress(files, files, 'files of the tape');
  }
  return row('tape', files === 0 ? 'none' : `${count(files, 'file')}, ${count(records, 'record')}`, problem, note);
}

function row(check: string, checked: string, problem: Finding, note: Finding = null): CheckRow {
  return { check, checked, problem, note };
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A store that is away says nothing about what it keeps. */
function damageIn(error: unknown): string {
  if (error instanceof EngineError && (error.code === 'ConnectionError' || error.code === 'TimeoutError')) throw error;
  return text(error);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

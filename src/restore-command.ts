/** `strategy-engine restore` and `move`: a backup put where nothing is, checked before, while and after. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBackup } from './adapters/files/backup-file';
import { backUp } from './backup-command';
import { argumentsOf, createProgress, pnlText } from './command-words';
import { EngineError, valueError } from './core/domain/errors';
import type { LogEvent } from './core/domain/log-event';
import { takeAll, unfit } from './live/keeping/copying';
import { createLogCheck } from './live/keeping/log-check';
import { type VerifyReport, verifyStore } from './live/keeping/verify';
import { holding, openPlace, type Place, placeOf, placeText, type Restoring, restoringTo } from './store-place';

const restoreUsage = 'strategy-engine restore FILE (--data DIR | --redis URL --name NAME)';
const moveUsage =
  'strategy-engine move --from (DIR | REDIS_URL) --to (DIR | REDIS_URL) [--name NAME in Redis] [--copy]';

/** Answers the exit code. */
export async function restore(args: readonly string[]): Promise<number> {
  const given = argumentsOf(
    args,
    {
      allowPositionals: true,
      options: { data: { type: 'string' }, redis: { type: 'string' }, name: { type: 'string' } },
    } as const,
    restoreUsage,
    ({ values, positionals: [file, ...more] }) => {
      if (file === undefined) throw valueError('FILE', 'is missing');
      if (more.length > 0) throw valueError('FILE', 'must be one');
      return { file, place: placeOf(values) };
    },
  );
  if (given === null) return 2;
  say('restored', given.place, await restoreFrom(given.file, given.place));
  return 0;
}

/** Answers the exit code. */
export async function move(args: readonly string[]): Promise<number> {
  const given = argumentsOf(
    args,
    {
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        name: { type: 'string' },
        copy: { type: 'boolean', default: false },
      },
    } as const,
    moveUsage,
    ({ values: { from, to, name, copy } }) => ({
      from: placeNamed('--from', from, name),
      to: placeNamed('--to', to, name),
      isCopy: copy,
    }),
  );
  if (given === null) return 2;
  const { from, to, isCopy } = given;
  const report = isCopy ? await copy(from, to, false) : await holding(from, () => copy(from, to, true));
  say(isCopy ? 'copied' : 'moved', to, report);
  if (!isCopy) process.stdout.write(`${placeText(from)} is left as it was: start no engine on it any more\n`);
  return 0;
}

function placeNamed(option: string, text: string | undefined, name: string | undefined): Place {
  if (text === undefined) throw valueError(option, 'is missing');
  return placeOf(/^rediss?:/.test(text) ? { redis: text, name } : { data: text });
}

function say(done: string, place: Place, { events, strategies, totalPnl }: VerifyReport): void {
  const words = `${events} events, ${strategies} strategies, ${pnlText(totalPnl)}`;
  process.stdout.write(`${done} to ${placeText(place)}: ${words}; verified\n`);
}

/** By a backup in a file of its own. With `isStill` the source must not have grown meanwhile. */
export async function copy(from: Place, to: Place, isStill: boolean): Promise<VerifyReport> {
  const directory = await mkdtemp(join(tmpdir(), 'strategy-engine-move-'));
  try {
    const file = join(directory, 'backup');
    const { events } = await backUp(from, file);
    return await restoreFrom(file, to, async () => {
      if (!isStill) return;
      const source = await openPlace(from);
      const lastSeq = await source.log.lastSeq().finally(() => source.close());
      if (lastSeq !== events)
        throw new EngineError('ConflictError', 'the source was written to meanwhile; nothing was moved');
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param beforeLast asked when all is written and verified, before it takes its place. */
export async function restoreFrom(
  file: string,
  place: Place,
  beforeLast: () => Promise<void> = async () => {},
): Promise<VerifyReport> {
  const events = await checkBackup(file);
  return restoringTo(place, async (target) => {
    await write(file, target, events);
    const written = await target.open();
    const report = await verifyStore(written, createProgress()).finally(() => written.close());
    const problem = report.checks.find((one) => one.problem !== null)?.problem ?? null;
    if (problem !== null) throw unfit(problem);
    if (report.events !== events) throw unfit(`${report.events} of ${events} events were written`);
    await beforeLast();
    await target.takePlace();
    return report;
  });
}

/** Reads all of it, and answers how many events it has. */
async function checkBackup(file: string): Promise<number> {
  const check = createLogCheck();
  for await (const piece of readBackup(file)) {
    if (piece.kind === 'events') takeAll(check, piece.events);
    if (piece.kind === 'snapshot' && piece.snapshot.meta.logSeq > check.events)
      throw unfit(`its snapshot knows event ${piece.snapshot.meta.logSeq}, and its events end at ${check.events}`);
  }
  return check.events;
}

async function write(file: string, target: Restoring, events: number): Promise<void> {
  const pieces = readBackup(file);
  async function* pages(): AsyncGenerator<readonly LogEvent[]> {
    for await (const piece of pieces) {
      if (piece.kind === 'events') yield piece.events;
      if (piece.kind === 'snapshot') await target.importSnapshot(piece.snapshot);
    }
  }
  await target.importEvents(pages(), events);
}

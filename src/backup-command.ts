/** `strategy-engine backup`: all events and the newest whole snapshot in one checksummed file, while the engine runs. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeBackup } from './adapters/files/backup-file';
import { snapshotFs } from './adapters/files/fs-port';
import { argumentsOf, createProgress, pnlText } from './command-words';
import { EngineError, valueError } from './core/domain/errors';
import { take } from './live/keeping/copying';
import { type TotalPnl, totalPnl } from './live/keeping/totals';
import { openPlace, type Place, placeOf, placeText } from './store-place';

const usage = 'strategy-engine backup (--data DIR | --redis URL --name NAME) --out FILE';

export interface BackupResult {
  readonly events: number;
  readonly strategies: number;
  readonly totalPnl: readonly TotalPnl[];
  readonly bytes: number;
}

/** Answers the exit code. */
export async function backup(args: readonly string[]): Promise<number> {
  const given = argumentsOf(
    args,
    {
      options: {
        data: { type: 'string' },
        redis: { type: 'string' },
        name: { type: 'string' },
        out: { type: 'string' },
      },
    } as const,
    usage,
    ({ values }) => {
      if (values.out === undefined) throw valueError('--out FILE', 'is missing');
      return { place: placeOf(values), out: values.out };
    },
  );
  if (given === null) return 2;
  const { events, strategies, bytes, totalPnl: totals } = await backUp(given.place, given.out);
  process.stdout.write(
    `${given.out}: ${placeText(given.place)}, ${events} events, ${strategies} strategies, ${pnlText(totals)}, ${bytes} bytes\n`,
  );
  return 0;
}

/** The file appears when it is whole. @throws EngineError when it is there already, or when what is to be kept is damaged. */
export async function backUp(place: Place, out: string): Promise<BackupResult> {
  if (existsSync(out)) throw new EngineError('ConflictError', `"${out}" is there already`);
  const store = await openPlace(place);
  const unfinished = `${out}.part`;
  try {
    await rm(unfinished, { force: true });
    const { snapshot, lastSeq, events, core } = await take(store, createProgress());
    const header = {
      backup: 1,
      engine: place.kind === 'redis' ? place.name : null,
      store: place.kind,
      madeMs: Date.now(),
      events: lastSeq,
      snapshot: snapshot === null ? null : { meta: snapshot.meta, chunks: snapshot.chunks.size },
    } as const;
    const bytes = await writeBackup(unfinished, { header, events, snapshot });
    await rename(unfinished, out);
    await snapshotFs.syncDir(dirname(out));
    return { events: lastSeq, strategies: core.records.byId.size, totalPnl: totalPnl(core), bytes };
  } finally {
    await rm(unfinished, { force: true });
    await store.close();
  }
}

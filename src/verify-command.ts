/** `strategy-engine verify`: whether all that a store keeps is whole, looked at beside whoever runs on it. */
import { argumentsOf, createProgress, pnlText } from './command-words';
import { type CheckRow, type VerifyReport, verifyStore } from './live/keeping/verify';
import { openPlace, type Place, placeOf, placeText } from './store-place';

const usage = 'strategy-engine verify (--data DIR | --redis URL --name NAME [--data DIR of its tape]) [--json]';

/** Prints a table, or JSON. Answers the exit code: 0 sound, 1 damaged or unreadable, 2 wrong usage. */
export async function verify(args: readonly string[]): Promise<number> {
  const given = argumentsOf(
    args,
    {
      options: {
        data: { type: 'string' },
        redis: { type: 'string' },
        name: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    } as const,
    usage,
    ({ values }) => ({ place: placeOf(values), isJson: values.json }),
  );
  if (given === null) return 2;
  const report = await verifyPlace(given.place);
  process.stdout.write(given.isJson ? `${JSON.stringify(jsonOf(report))}\n` : tableOf(given.place, report));
  return report.sound ? 0 : 1;
}

export async function verifyPlace(place: Place): Promise<VerifyReport> {
  const store = await openPlace(place);
  try {
    return await verifyStore(store, createProgress());
  } finally {
    await store.close();
  }
}

function jsonOf({ sound, events, strategies, totalPnl, checks }: VerifyReport) {
  return { sound, events, strategies, total_pnl: totalPnl, checks };
}

function tableOf(place: Place, report: VerifyReport): string {
  const width = Math.max(...report.checks.map(({ checked }) => checked.length));
  const lines = report.checks.map((row) => `${row.check.padEnd(10)} ${row.checked.padEnd(width)}  ${wordsOf(row)}`);
  const { sound, strategies, totalPnl } = report;
  const end = sound ? 'sound' : 'DAMAGED';
  const counts = `${strategies} ${strategies === 1 ? 'strategy' : 'strategies'}, ${pnlText(totalPnl)}`;
  return [...lines, '', `${end}: ${placeText(place)}, ${counts}`, ''].join('\n');
}

function wordsOf({ problem, note }: CheckRow): string {
  if (problem !== null) return `DAMAGED: ${problem}`;
  return note === null ? 'ok' : `ok (${note})`;
}

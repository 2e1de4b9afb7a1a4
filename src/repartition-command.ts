/** `strategy-engine repartition`: a market that N engines share, over M engines. */
import { parseRedisUrl } from './adapters/redis/redis-target';
import { argumentsOf } from './command-words';
import { valueError } from './core/domain/errors';
import { type RepartitionReport, repartition as split } from './repartition';

const usage =
  'strategy-engine repartition --redis URL --name NAME --from N --to M [--stream NAME] [--dry-run] [--json]';

/** Answers the exit code. */
export async function repartition(args: readonly string[]): Promise<number> {
  const given = argumentsOf(
    args,
    {
      options: {
        redis: { type: 'string' },
        name: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        stream: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    } as const,
    usage,
    ({ values }) => ({
      url: urlOf(values.redis),
      name: required('--name', values.name),
      from: countOf('--from', values.from),
      to: countOf('--to', values.to),
      ...(values.stream === undefined ? {} : { stream: values.stream }),
      isDry: values['dry-run'],
      isJson: values.json,
    }),
  );
  if (given === null) return 2;
  const { isJson, ...options } = given;
  const report = await split(options);
  process.stdout.write(isJson ? `${JSON.stringify(jsonOf(report))}\n` : wordsOf(report, options));
  return report.running.length === 0 ? 0 : 1;
}

function required(option: string, text: string | undefined): string {
  if (text === undefined || text === '') throw valueError(option, 'is missing');
  return text;
}

/** It may hold a password, so it is never repeated. */
function urlOf(text: string | undefined): string {
  const url = required('--redis', text);
  try {
    parseRedisUrl(url);
    return url;
  } catch {
    throw valueError('--redis', 'must be a redis://, rediss:// or redis-cluster:// URL');
  }
}

function countOf(option: string, text: string | undefined): number {
  const count = Number(required(option, text));
  if (!Number.isInteger(count)) throw valueError(option, 'must be a whole number', text);
  return count;
}

function jsonOf({ outcome, engines, unread, written, late, stranded, running }: RepartitionReport) {
  return {
    outcome,
    engines: engines.map(({ name, before, after, gained, isNew, keptMs }) => ({
      name,
      symbols_before: before,
      symbols_after: after,
      symbols_gained: gained,
      is_new: isNew,
      state_kept_at: keptMs === null ? null : new Date(keptMs).toISOString(),
    })),
    entries_unread: unread,
    entries_written: written,
    entries_late: late,
    entries_stranded: stranded,
    running,
  };
}

function wordsOf(report: RepartitionReport, { from, to }: { readonly from: number; readonly to: number }): string {
  const { outcome, engines, unread, written, late, stranded, running } = report;
  const lines = engines.map(({ name, before, after, gained, isNew, keptMs }) => {
    const kept = keptMs === null ? '' : `, state of ${new Date(keptMs).toISOString()}`;
    return `${name}${isNew ? ' (new)' : ''}: ${before} symbols before, ${after} after, ${gained} from others${kept}`;
  });
  if (outcome === 'already') return `The market is split over ${to} engines already; nothing was done.\n`;
  if (engines.length > 0) lines.push(`${unread} unread entries, ${written} written`);
  if (late > 0) lines.push(`${late} entries came meanwhile: kept behind the others`);
  if (stranded > 0)
    lines.push(
      `${stranded} of them lie in streams that nobody reads any more: a producer still counts ${from} partitions`,
    );
  if (running.length > 0) lines.push(`would be refused: ${running.join(', ')} runs`);
  const ends = {
    dry: `This would split ${from} over ${to}; nothing was done.`,
    done: `Split ${from} over ${to}. Start the engines, and producers that count ${to} partitions.`,
    finished: `Finished the split of ${from} over ${to} that was interrupted. Start the engines, and producers that count ${to}.`,
  } as const;
  return `${[...lines, ends[outcome]].join('\n')}\n`;
}

/** What the commands over a store say to people: progress, money, wrong usage. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { EngineError } from './core/domain/errors';
import { limits } from './core/domain/limits';
import type { TotalPnl } from './live/keeping/totals';
import type { Progress } from './live/keeping/verify';

/** Tells on stderr how far it is, once it takes long. */
export function createProgress(): Progress {
  let nextAt = performance.now() + limits.progressMs;
  return (done, of, what) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + limits.progressMs;
    process.stderr.write(`${done} of ${of} ${what}\n`);
  };
}

/** Each mode and currency by itself: they are never added up. */
export function pnlText(totals: readonly TotalPnl[]): string {
  if (totals.length === 0) return 'no P&L';
  return `total P&L ${totals.map(({ mode, currency, pnl }) => `${pnl} ${currency} (${mode})`).join(', ')}`;
}

/** The arguments read by `read`, or `null` when they are wrong, which is then told on stderr with how it is used. */
export function argumentsOf<T extends ParseArgsConfig, R>(
  args: readonly string[],
  config: T,
  usage: string,
  read: (parsed: ReturnType<typeof parseArgs<T>>) => R,
): R | null {
  try {
    return read(parseArgs<T>({ ...config, args: [...args] }));
  } catch (error) {
    const isOurs = error instanceof EngineError || (error instanceof Error && 'code' in error);
    if (!isOurs) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return null;
  }
}

/** Bars made for one test: closes in, bars out, one minute each. */
import type { Bar } from '../../src/core/domain/bar';
import { type Answer, createDrive, type Drive, driveBar } from '../../src/core/strategies/drive';
import { parseParameters } from '../../src/core/strategies/registry';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';

/** Bars that open at their close and reach `reach` above and below it. */
export function barsOf(closes: readonly number[], reach = 0.5, volume: number | readonly number[] = 100): Bar[] {
  return closes.map((close, i) => {
    const openMs = 1_700_000_040_000 + i * 60_000;
    const when = { symbol: 'TEST', timeframe: '1m', openMs, endMs: openMs + 60_000 };
    const traded = typeof volume === 'number' ? volume : (volume[i] ?? 0);
    const prices = { open: close, high: close + reach, low: close - reach, close };
    return { ...when, ...prices, volume: traded, ticks: 0, conflated: false };
  });
}

export function startDrive(definition: StrategyDefinition, raw: Record<string, unknown> = {}, takes = true): Drive {
  return createDrive(definition, parseParameters(definition, raw).parameters, takes);
}

/** Every answer, by bar. */
export function answers(
  definition: StrategyDefinition,
  bars: readonly Bar[],
  raw: Record<string, unknown> = {},
  takes = true,
): readonly Answer[] {
  const drive = startDrive(definition, raw, takes);
  return bars.map((bar) => driveBar(drive, bar));
}

/** What a proposal says, in its words; of bar number `bar`, counted from 1. */
export function wordsAt(definition: StrategyDefinition, list: readonly Answer[], bar: number): string {
  const intent = list[bar - 1]?.intent;
  return intent ? (definition.reasons[intent.reason]?.(intent.a, intent.b, intent.c, intent.d) ?? '') : '';
}

/** Bar numbers (from 1) of the proposals, with their side; an add is marked. */
export function proposals(list: readonly Answer[]): readonly (readonly [number, number | string])[] {
  return list.flatMap(({ intent }, i) =>
    intent ? [[i + 1, intent.add === 1 ? `${intent.side}+` : intent.side] as const] : [],
  );
}

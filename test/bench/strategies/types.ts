/** Ten types that are really ten: with one type every shape of an engine looks fast. */
import type { StrategyDefinition } from '../../../src/core/strategies/strategy';
import { channelBreakBars, channelBreakTicks } from './channel-break';
import { emaCrossBars, emaCrossTicks } from './ema-cross';
import { emaRsiBars, emaRsiTicks } from './ema-rsi';
import { macdTurnBars, macdTurnTicks } from './macd-turn';
import { metronome } from './metronome';
import { momentumBars, momentumTicks } from './momentum';
import { rsiReversionBars, rsiReversionTicks } from './rsi-reversion';
import { trailingTurnBars, trailingTurnTicks } from './trailing-turn';
import { tripleAverageBars, tripleAverageTicks } from './triple-average';
import { volatilityBreakBars, volatilityBreakTicks } from './volatility-break';
import { zReversionBars, zReversionTicks } from './z-reversion';

/** As a core takes them: each type's own state and parameters stay its own matter. */
function definitions(list: readonly unknown[]): readonly StrategyDefinition[] {
  return list as readonly StrategyDefinition[];
}

export const metronomeTypes = definitions([metronome]);
export const tickTypes = definitions([
  emaCrossTicks,
  emaRsiTicks,
  rsiReversionTicks,
  zReversionTicks,
  macdTurnTicks,
  channelBreakTicks,
  momentumTicks,
  volatilityBreakTicks,
  tripleAverageTicks,
  trailingTurnTicks,
]);
export const barTypes = definitions([
  emaCrossBars,
  emaRsiBars,
  rsiReversionBars,
  zReversionBars,
  macdTurnBars,
  channelBreakBars,
  momentumBars,
  volatilityBreakBars,
  tripleAverageBars,
  trailingTurnBars,
]);

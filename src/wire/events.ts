/** What the engine tells beside signals, as the outside reads it: times are ISO 8601 under the contract's names. */
import type { AdaptationView } from '../core/domain/bodies';
import type { Decision } from '../core/domain/decision';
import type { Fill } from '../core/domain/fill';
import type { Position } from '../core/domain/position';
import type { Alert } from '../core/domain/summary';
import { toWire } from './case';
import { formatTimestamp, formatTimestampOrNull } from './time';

type Wire = Record<string, unknown>;

function wireOf(value: object): Wire {
  return toWire(value) as Wire;
}

/** A kept decision: why something was, or was not, said. */
export function decisionToWire(decision: Decision): Wire {
  const { timestampMs, ...rest } = decision;
  return { ...wireOf(rest), timestamp: formatTimestamp(timestampMs) };
}

/** A virtual position; `entry_time` is `null` while it is flat. */
export function positionToWire(position: Position): Wire {
  const { entryMs, ...rest } = position;
  return { ...wireOf(rest), entry_time: formatTimestampOrNull(entryMs) };
}

export function fillToWire(fill: Fill): Wire {
  const { timestampMs, ...rest } = fill;
  return { ...wireOf(rest), timestamp: formatTimestamp(timestampMs) };
}

export function alertToWire(alert: Alert): Wire {
  const { timestampMs, lastMs, sinceMs, ...rest } = alert;
  const [timestamp, last, since] = [timestampMs, lastMs, sinceMs].map(formatTimestamp);
  return { ...wireOf(rest), timestamp, last, since };
}

/** A stretch in which market data was, or may have been, lost. */
export interface GapFields {
  readonly source: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lost: number | null;
  readonly reason: string;
}

export function gapToWire(gap: GapFields): Wire {
  return {
    source: gap.source,
    from: formatTimestamp(gap.fromMs),
    to: formatTimestamp(gap.toMs),
    duration_ms: gap.toMs - gap.fromMs,
    lost: gap.lost,
    reason: gap.reason,
  };
}

export function adaptationToWire(adaptation: AdaptationView): Wire {
  return wireOf(adaptation);
}

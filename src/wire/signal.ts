/** Signals as the outside reads them. */
import type { Signal } from '../core/domain/signal';
import { formatTimestamp } from './time';

/** A signal's fields by their contract names; optional ones that have no value are absent. */
export type WireSignal = Readonly<Record<string, unknown>>;

/** The contract's signal. Written out by hand: it is on the way of every signal that leaves. */
export function signalToWire(signal: Signal): WireSignal {
  const wire: Record<string, unknown> = {
    signal_id: signal.signalId,
    strategy_id: signal.strategyId,
    strategy_type: signal.strategyType,
    strategy_version: signal.strategyVersion,
    symbol: signal.symbol,
    action: signal.action,
    confidence: signal.confidence,
    confidence_basis: signal.confidenceBasis,
    score: signal.score,
    price: signal.price,
    price_kind: signal.priceKind,
    size: signal.size,
    stop_loss: signal.stopLoss,
    take_profit: signal.takeProfit,
    reasons: signal.reasons,
    regime: signal.regime,
    timestamp: formatTimestamp(signal.timestampMs),
    latency_ms: signal.latencyMs,
    intent: signal.intent,
    target_exposure: signal.targetExposure,
    source: signal.source,
    asset_type: signal.assetType,
  };
  if (signal.quantity !== null) wire.quantity = signal.quantity;
  if (signal.currency !== null) wire.currency = signal.currency;
  if (signal.timeframe !== null) wire.timeframe = signal.timeframe;
  if (signal.barEndMs !== null) wire.bar_end = formatTimestamp(signal.barEndMs);
  if (signal.validUntilMs !== null) wire.valid_until = formatTimestamp(signal.validUntilMs);
  if (signal.members) wire.members = signal.members.map(memberToWire);
  if (signal.parentSignalId !== undefined) wire.parent_signal_id = signal.parentSignalId;
  if (signal.conflated) wire.conflated = true;
  return wire;
}

function memberToWire(member: NonNullable<Signal['members']>[number]): WireSignal {
  return { strategy_id: member.strategyId, weight: member.weight, vote: member.vote };
}

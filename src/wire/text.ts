/** Signals and alerts as one line for people: Telegram, mail, a watch. */

import type { Signal } from '../core/domain/signal';
import type { Alert } from '../core/domain/summary';

const wholes = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A price with the digits that matter: grouped above 1,000, at least five significant ones below. */
export function priceText(price: number): string {
  const size = Math.abs(price);
  if (size >= 1_000 && Number.isInteger(price)) return wholes.format(price);
  const digits = size >= 1_000 ? 2 : size >= 1 ? 4 : Math.min(12, 5 - Math.floor(Math.log10(size || 1)));
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(price);
}

/** `BUY BTCUSDT 42,000 · stop 41,200 · confidence 0.71 · ema cross, adx 31`. */
export function signalText(signal: Signal): string {
  const { action, symbol, price, stopLoss, takeProfit, confidence, reasons } = signal;
  const parts = [`${action.toUpperCase()} ${symbol} ${priceText(price)}`];
  if (stopLoss !== null) parts.push(`stop ${priceText(stopLoss)}`);
  if (takeProfit !== null) parts.push(`target ${priceText(takeProfit)}`);
  parts.push(`confidence ${confidence.toFixed(2)}`);
  if (reasons.length > 0) parts.push(reasons.join(', '));
  return parts.join(' · ');
}

/** `CRITICAL store: Redis is away`; `OVER …` when it has passed. */
export function alertText(alert: Alert): string {
  return `${alert.recovered ? 'OVER' : alert.level.toUpperCase()} ${alert.component}: ${alert.message}`;
}

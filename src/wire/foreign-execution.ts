/** Executions in the forms in which brokers send them → the contract's `execution_result`. */

export const executionForms = ['own', 'ccxt-order', 'alpaca'] as const;
export type ExecutionForm = (typeof executionForms)[number];

type Raw = Readonly<Record<string, unknown>>;

/** What the message says beside its payload: orders carry no P&L, and name no strategy. */
export interface ExecutionContext {
  readonly pnl: unknown;
  readonly arrivalMs: number;
}

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

function compact(raw: Record<string, unknown>): Raw {
  for (const key of Object.keys(raw)) if (raw[key] === undefined || raw[key] === null) delete raw[key];
  return raw;
}

const statuses: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['closed', 'filled'],
  ['filled', 'filled'],
  ['fill', 'filled'],
  ['open', 'partial'],
  ['partial_fill', 'partial'],
  ['partially_filled', 'partial'],
  ['canceled', 'cancelled'],
  ['cancelled', 'cancelled'],
  ['expired', 'expired'],
  ['rejected', 'rejected'],
]);

function spanMs(from: unknown, to: unknown): number {
  const at = (value: unknown) => (typeof value === 'number' ? value : Date.parse(String(value)));
  const span = at(to) - at(from);
  return Number.isFinite(span) && span >= 0 ? span : 0;
}

function pnlFields(pnl: unknown): Record<string, unknown> {
  const amount = Number(pnl);
  return { pnl, success: Number.isFinite(amount) ? amount > 0 : undefined };
}

function ccxtOrder(order: Raw, context: ExecutionContext): Raw {
  const { id, clientOrderId, symbol, side, filled, amount, average, price, fee, timestamp, info } = order;
  const realised = context.pnl ?? order.pnl ?? (isObject(info) ? (info.realizedPnl ?? info.realized_pnl) : undefined);
  return compact({
    ...pnlFields(realised),
    execution_id: id,
    signal_id: clientOrderId,
    symbol,
    side,
    quantity: filled ?? amount,
    price: average ?? price,
    fees: isObject(fee) ? fee.cost : undefined,
    status: statuses.get(order.status),
    timestamp: order.lastTradeTimestamp ?? timestamp,
    execution_time_ms: spanMs(timestamp, order.lastTradeTimestamp ?? timestamp),
  });
}

function alpacaUpdate(message: Raw, context: ExecutionContext): Raw {
  const update = isObject(message.data) ? message.data : message;
  const order = isObject(update.order) ? update.order : {};
  return compact({
    ...pnlFields(context.pnl ?? update.pnl),
    execution_id: update.execution_id ?? order.id,
    signal_id: order.client_order_id,
    symbol: order.symbol,
    side: order.side,
    quantity: update.qty ?? order.filled_qty,
    price: update.price ?? order.filled_avg_price,
    status: statuses.get(update.event),
    position_after: update.position_qty,
    timestamp: update.timestamp,
    execution_time_ms: spanMs(order.submitted_at, update.timestamp),
  });
}

/**
 * One execution as `{strategy_id?, execution_result}`. What is missing stays missing, so that the border names it.
 * The payload is not changed.
 */
export function foreignExecution(form: ExecutionForm, payload: unknown, context: ExecutionContext): unknown {
  if (!isObject(payload)) return payload;
  if (form === 'own') {
    if (payload.execution_result !== undefined) return payload;
    const { strategy_id, ...result } = payload;
    return compact({ strategy_id, execution_result: result });
  }
  const result = form === 'ccxt-order' ? ccxtOrder(payload, context) : alpacaUpdate(payload, context);
  return compact({ strategy_id: payload.strategy_id, execution_result: result });
}

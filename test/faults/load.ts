/** Executions over HTTP, at a rate that waits for no answer or from clients that do, and what came of each. */
import type { Operation } from './counting';
import { createLeanClient, type LeanClient } from './lean-client';

export interface Reply {
  readonly operation: Operation;
  /** 0 when there was none. */
  readonly status: number;
  /** Monotonic. */
  readonly sentMs: number;
  readonly tookMs: number;
}

export interface Load {
  readonly replies: readonly Reply[];
  /** Stops sending; settles when all are answered. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly port: number;
  readonly strategyId: string;
  /** Requests a second, whatever is answered; or clients of which each waits for its answer. */
  readonly pace: { readonly perS: number } | { readonly clients: number };
  /** Names and amounts of the executions to come. */
  readonly next: () => Operation;
}

function track(client: LeanClient, strategyId: string, { id, units, success }: Operation): Promise<number> {
  const result = { execution_id: id, pnl: units / 1e8, success, execution_time_ms: 1 };
  return client.post('/api/performance/track', JSON.stringify({ strategy_id: strategyId, execution_result: result }));
}

export function startLoad({ port, strategyId, pace, next }: LoadOptions): Load {
  const replies: Reply[] = [];
  const client = createLeanClient(port);
  const send = async (): Promise<void> => {
    const operation = next();
    const sentMs = performance.now();
    const status = await track(client, strategyId, operation);
    replies.push({ operation, status, sentMs, tookMs: performance.now() - sentMs });
  };
  const end = 'perS' in pace ? atRate(pace.perS, send) : fromClients(pace.clients, send);
  return {
    replies,
    async stop() {
      await end();
      client.destroy();
    },
  };
}

function atRate(perS: number, send: () => Promise<void>): () => Promise<void> {
  const open = new Set<Promise<void>>();
  const begunMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begunMs) * perS) / 1_000);
    // A pause of this process is not made good at once: that would be another load than the one that was asked for.
    sent = Math.max(sent, due - perS / 10);
    for (; sent < due; sent++) {
      const answered: Promise<void> = send().finally(() => open.delete(answered));
      open.add(answered);
    }
  }, 5);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
  };
}

function fromClients(count: number, send: () => Promise<void>): () => Promise<void> {
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      await send();
      // Refusals come at once; a client that tries again has a moment's patience.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const all = Array.from({ length: count }, client);
  return async () => {
    isOver = true;
    await Promise.all(all);
  };
}

/** Sends what was not acknowledged until it is, with the same ids. Answers how many tries it took. */
export async function settleAll(port: number, strategyId: string, operations: readonly Operation[]): Promise<number> {
  const client = createLeanClient(port);
  let tries = 0;
  let left = operations;
  while (left.length > 0) {
    const again: Operation[] = [];
    for (let at = 0; at < left.length; at += 200) {
      const part = left.slice(at, at + 200);
      const statuses = await Promise.all(part.map((operation) => track(client, strategyId, operation)));
      tries += part.length;
      again.push(...part.filter((_, i) => statuses[i] !== 200));
    }
    left = again;
    if (tries > operations.length * 50) throw new Error(`${left.length} are never acknowledged`);
  }
  client.destroy();
  return tries;
}

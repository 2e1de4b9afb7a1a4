/** Nodes on a stage: a flow of them in a runtime inside this process, on an engine in memory. */

import type { TestFlowsItem } from 'node-red-node-test-helper';
import helper from 'node-red-node-test-helper';
import type { SinonSpy } from 'sinon';
import { until } from '../helpers/until';

helper.init(require.resolve('node-red'));

export interface Seen {
  readonly [key: string]: unknown;
  readonly topic?: string;
  readonly payload?: unknown;
}

type Initializer = Parameters<typeof helper.load>[0];
type StageNode = { readonly id: string; readonly type: string } & Readonly<Record<string, unknown>>;

/** The configuration node that all flows here use. */
export const engineNode: StageNode = {
  id: 'engine',
  type: 'strategy-engine',
  version: 1,
  engineName: 'stage',
  store: 'memory',
};

export interface Stage {
  /** What reached a probe. */
  seen(probe: string): readonly Seen[];
  /** Waits for that many messages at a probe. */
  count(probe: string, count: number): Promise<readonly Seen[]>;
  send(node: string, message: Readonly<Record<string, unknown>>): void;
  /** The last status a node showed. */
  status(node: string): Status;
  statuses(node: string): readonly Status[];
  /** What Node-RED counted as done. */
  done(): readonly Seen[];
}

function probesOf(flow: readonly StageNode[]): StageNode[] {
  const wired = flow.flatMap((node) => ((node.wires as string[][] | undefined) ?? []).flat());
  const known = new Set(flow.map(({ id }) => id));
  return [...new Set(wired)].filter((id) => !known.has(id)).map((id) => ({ id, type: 'helper' }));
}

type Status = { readonly fill?: string; readonly shape?: string; readonly text?: string };

/** The helper spies on the prototype, so calls are told apart by whose they are. */
function statusesOf(id: string): readonly Status[] {
  const spy = helper.getNode(id).status as unknown as SinonSpy;
  return spy
    .getCalls()
    .flatMap(({ thisValue, args }) => ((thisValue as { id: string }).id === id ? [args[0] as Status] : []));
}

/** Loads a flow; ids that are only wired to become probes, and `caught` and `done` hear errors and completions. */
export async function stage(
  initializers: readonly unknown[],
  flow: readonly StageNode[],
  credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Stage> {
  const heard = new Map<string, Seen[]>();
  const ours = flow.filter(({ type }) => type.startsWith('strategy-engine-')).map(({ id }) => id);
  const listeners: StageNode[] = [
    { id: 'catch', type: 'catch', z: 'tab', scope: null, wires: [['caught']] },
    { id: 'complete', type: 'complete', z: 'tab', scope: ours, wires: [['done']] },
    { id: 'caught', type: 'helper' },
    { id: 'done', type: 'helper' },
  ];
  // Without a place on the canvas Node-RED takes a node for a configuration node.
  const placed = [...flow, ...probesOf(flow), ...listeners].map((node) =>
    node.type === 'strategy-engine' ? node : { z: 'tab', x: 0, y: 0, ...node },
  );
  const all = [{ id: 'tab', type: 'tab', label: 'stage' }, ...placed, engineNode] as TestFlowsItem[];
  await helper.load([...initializers] as Initializer, all, credentials as Parameters<typeof helper.load>[2]);
  for (const { id, type } of placed) {
    if (type !== 'helper') continue;
    const list: Seen[] = [];
    heard.set(id, list);
    helper.getNode(id)?.on('input', (message: unknown) => list.push(message as Seen));
  }
  return {
    seen: (probe) => heard.get(probe) ?? [],
    async count(probe, count) {
      const list = heard.get(probe) ?? [];
      await until(`${count} messages at ${probe}, not ${list.length}`, () => list.length >= count);
      return list;
    },
    send(id, message) {
      helper.getNode(id).receive({ ...message });
    },
    statuses: statusesOf,
    status: (id) => statusesOf(id).at(-1) ?? {},
    done: () => heard.get('done') ?? [],
  };
}

/** A server of admin routes, once for a suite. */
export async function openStage(): Promise<void> {
  await new Promise<void>((resolve) => helper.startServer(() => resolve()));
}

export async function clearStage(): Promise<void> {
  await helper.unload();
}

export async function closeStage(): Promise<void> {
  await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
}

export const adminRequest = () => helper.request();

/** Ticks of one symbol, one a second, whose price goes as `price` says. */
export function ticks(count: number, price: (index: number) => number, symbol = 'BTCUSDT', fromMs = 1_767_225_600_000) {
  return Array.from({ length: count }, (_, index) => ({
    symbol,
    price: price(index),
    volume: 1,
    timestamp: fromMs + index * 1_000,
  }));
}

/** Falls, then rises: a crossover is sure to speak. */
export const valley = (index: number): number => 100 + Math.abs(index - 60) * 0.5;

/** Parameters with which it speaks at once. */
export const quick = {
  fast_period: 3,
  slow_period: 8,
  adx_period: 3,
  adx_threshold: 0,
  atr_period: 3,
  confidence_threshold: 0,
};

/** The payload of a message that has to be there. */
export function body(message: Seen | undefined): Readonly<Record<string, unknown>> {
  if (typeof message?.payload !== 'object' || message.payload === null) throw new Error('there is no payload');
  return message.payload as Readonly<Record<string, unknown>>;
}

/** The payload of a message that has to be there, and a list. */
export function list(message: Seen | undefined): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(message?.payload)) throw new Error('the payload is no list');
  return message.payload;
}

/** The error that a Catch node was handed. */
export function errorOf(message: Seen | undefined): {
  readonly message: string;
  readonly code: string;
  readonly cause: { readonly details: readonly { readonly path: string }[] };
} {
  if (message?.error === undefined) throw new Error('there is no error');
  return message.error as ReturnType<typeof errorOf>;
}

/** Stands in for what `http in` adds to a message. */
export const request = (more: Readonly<Record<string, unknown>> = {}) => ({
  req: { headers: { 'x-request-id': 'r-1' }, params: {}, query: {}, ...more },
  res: { isResponse: true },
});

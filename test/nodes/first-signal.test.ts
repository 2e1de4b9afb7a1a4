/**
 * A first deploy has to show something. The simulated market runs along with the clock, so what a user meets depends on
 * when they deploy: every example and the demo are tried at instants all over the hour.
 */
import assert from 'node:assert/strict';
import { openLiveMarket } from '../../nodes/replay-source';
import { demoFlow } from '../../src/adapters/node-red/demo-flow';
import { createSimulator } from '../../src/adapters/simulator/simulator';
import type { MarketItem } from '../../src/core/domain/tick';
import { onBatch } from '../../src/core/engine';
import type { CoreState } from '../../src/core/state';
import { batchOf, coreWith } from '../helpers/core';
import { exampleNames, type FlowNode, readExample } from '../helpers/package';

const hourMs = 3_600_000;
const hour = Date.UTC(2026, 0, 5, 10);
/** How often the node looks for what is due. */
const stepMs = 50;
/** No instant may be this bad; a search that goes on longer would not end. */
const giveUpMs = 120_000;

const words = (value: unknown): string[] =>
  String(value)
    .split(/[\s,]+/)
    .filter((word) => word !== '');

interface Market {
  readonly seed: number;
  readonly ticksPerS: number;
  readonly symbols: readonly string[];
}

function marketIn(flow: readonly FlowNode[]): Market | null {
  const node = flow.find(
    ({ type, origin, startAt, autostart }) =>
      type === 'strategy-engine-market-replay' && origin === 'simulator' && startAt === '' && autostart === true,
  );
  return node ? { seed: Number(node.seed), ticksPerS: Number(node.ticksPerS), symbols: words(node.symbols) } : null;
}

const strategiesIn = (flow: readonly FlowNode[]) => flow.filter(({ type }) => type === 'strategy-engine-strategy');

/** A new engine, as the flow's nodes make it. */
function coreOf(flow: readonly FlowNode[]): CoreState {
  const registrations = strategiesIn(flow).map((node) => ({
    strategyId: node.id,
    strategyType: String(node.strategyType),
    symbols: words(node.symbols),
    timeframe: String(node.timeframe),
    parameters: node.parameters as Readonly<Record<string, unknown>>,
  }));
  return coreWith(registrations, { capital: 10_000 });
}

/** How long after each of the instants the flow's first signal comes, in ms; the longest first. */
function firstSignals(flow: readonly FlowNode[], market: Market, everyMs: number): readonly number[] {
  const simulator = createSimulator({ ...market, startMs: hour });
  const waits: number[] = [];
  for (let nowMs = hour; nowMs < hour + hourMs; nowMs += everyMs) {
    while (simulator.nextMs <= nowMs) simulator.until(nowMs);
    const here = simulator.state();
    waits.push(firstSignal(coreOf(flow), (untilMs) => simulator.until(untilMs), nowMs));
    simulator.restore(here);
  }
  return waits.sort((a, b) => b - a);
}

function firstSignal(core: CoreState, due: (untilMs: number) => readonly MarketItem[], fromMs: number): number {
  for (let atMs = fromMs + stepMs; atMs < fromMs + giveUpMs; atMs += stepMs) {
    const items = due(atMs);
    if (items.length > 0 && onBatch(core, batchOf(items)).signals.length > 0) return atMs - fromMs;
  }
  return Number.POSITIVE_INFINITY;
}

describe('the first signal after a deploy, at any time of the hour', () => {
  const flows = exampleNames().flatMap((name) => {
    const flow = readExample(name);
    const market = marketIn(flow);
    return market && strategiesIn(flow).length > 0 ? [{ name, flow, market }] : [];
  });

  it('is looked for in every example that begins by itself', () => {
    const names = flows.map(({ name }) => name);
    for (const name of ['01 - Hello signal', '03 - A rule without code', 'nodes/events', 'nodes/strategy'])
      assert.ok(names.includes(name), name);
  });

  for (const { name, flow, market } of flows) {
    it(`comes within 5 s of market time in "${name}", which leaves a slow machine 5 s of its own`, () => {
      const waits = firstSignals(flow, market, 5_000);
      assert.equal(waits.length, 720);
      assert.ok(Number(waits[0]) <= 5_000, `the slowest instants: ${waits.slice(0, 5).join(', ')} ms`);
    });
  }

  it('comes within 25 s in the demo, whose bars are of a second', () => {
    const flow = demoFlow();
    const market = marketIn(flow);
    assert.ok(market);
    const waits = firstSignals(flow, market, 5_000);
    assert.ok(Number(waits[0]) <= 25_000, `the slowest instants: ${waits.slice(0, 5).join(', ')} ms`);
  });

  it('is that of every other hour too: a market met at an instant is the one that began at the full hour', async () => {
    const settings = { seed: 1, ticksPerS: 100, symbols: ['SIM:BTC'] };
    const offsetMs = 1_234_567;
    const prices = (items: readonly MarketItem[], sinceMs: number) =>
      items.map((item) => [item.timestampMs - sinceMs, item.kind === 'tick' ? item.price : null]);
    const simulator = createSimulator({ ...settings, startMs: hour });
    while (simulator.nextMs <= hour + offsetMs) simulator.until(hour + offsetMs);
    const expected = prices(simulator.next(500), hour);
    for (const hours of [0, 1, 5_000]) {
      const openMs = hour + hours * hourMs;
      const live = await openLiveMarket({ ...settings, count: 0 }, openMs + offsetMs);
      assert.deepEqual(prices(await live.take(500, Number.POSITIVE_INFINITY), openMs), expected);
    }
  });
});

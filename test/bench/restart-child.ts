/**
 * A process for P11. Arguments: folder, symbols, `fill` or `start`. `fill` feeds ticks until it is killed and says
 * `filled` once a snapshot holds all symbols; `start` opens what is there, evaluates one tick, and says `ready MS SYMBOLS`.
 */
import type * as product from '../../src/index';
import { built } from './harness';
import { tickTypes } from './strategies/types';

const { openEngine } = built<typeof product>('index');
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function ticksAt(count: number, round: number, nowMs: number) {
  const items = Array.from({ length: count }, (_, i) => ({
    kind: 'tick' as const,
    symbol: `S${i}`,
    source: 'bench',
    timestampMs: nowMs,
    stamped: true,
    price: 100 + Math.sin((round + i) / 9),
    volume: 1,
    quote: null,
    assetType: null,
    extras: null,
  }));
  const indexes = items.map((_, i) => i);
  return { items, indexes, rejected: [], received: count, door: 'live' as const, arrivalMs: nowMs };
}

async function main(): Promise<void> {
  const [path = '', symbols = '1000', mode] = process.argv.slice(2);
  const count = Number(symbols);
  const engine = await openEngine({
    name: 'restart',
    store: { kind: 'embedded', path },
    strategies: tickTypes,
    logger: silent,
  });
  if (mode === 'start') {
    const nowMs = Date.now();
    const { ticksAccepted } = await engine.processMarketData(ticksAt(1, 0, nowMs));
    const tookMs = Date.now() - Number(process.env.STARTED_MS);
    process.stdout.write(`ready ${tookMs} ${ticksAccepted} ${engine.summary().activeStrategies}\n`);
    return;
  }
  for (let i = 0; i < 50; i++) {
    const type = tickTypes[i % tickTypes.length]?.type ?? '';
    await engine.register({ strategyType: type, strategyId: `s_${i}`, parameters: { period: 20 + i } });
  }
  const baseMs = Date.now() - 600_000;
  for (let round = 0; ; round++) {
    await engine.processMarketData(ticksAt(count, round, baseMs + round * 1_000));
    if (round === 60) {
      await engine.snapshot();
      process.stdout.write('filled\n');
    }
    if (round > 60) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

void main();

/** A file replayed on the canvas of a Node-RED that is killed: what reached the file node is what one run sends. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../faults/proxy';
import { createOwnNodeRed } from '../helpers/own-node-red';
import type { FlowNode } from '../helpers/package';
import { reference } from '../helpers/references';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const seed = Number(process.env.TEST_SEED ?? 20_260_103);
const rows = 8_000;
const batch = 100;
/** A bar a millisecond: a batch every 50 ms, which a file node keeps up with. */
const speed = 60_000;

function flow(file: string, out: string, speed: number): FlowNode[] {
  const strategy = (id: string, strategyType: string) => ({
    ...{ id, type: 'strategy-engine-strategy', z: 'tab', version: 1, engine: 'engine', x: 1, y: 1 },
    ...{ strategyType, symbols: 'BTCPERP', timeframe: '1m', decisions: 'off', wires: [['write'], []] },
  });
  const replay = { origin: 'file', file, speed, batch, autostart: true, wires: [['cross', 'revert'], []] };
  return [
    { id: 'tab', type: 'tab', label: 'replay' },
    { id: 'engine', type: 'strategy-engine', version: 1, engineName: 'canvas', store: 'embedded' },
    {
      id: 'replay',
      type: 'strategy-engine-market-replay',
      z: 'tab',
      version: 1,
      engine: 'engine',
      x: 1,
      y: 1,
      ...replay,
    },
    strategy('cross', 'moving_average_crossover'),
    strategy('revert', 'mean_reversion'),
    {
      ...{ id: 'write', type: 'file', z: 'tab', x: 1, y: 1, wires: [[]], filename: out, filenameType: 'str' },
      ...{ appendNewline: true, createDir: false, overwriteFile: 'false', encoding: 'none' },
    },
  ];
}

type Signals = ReadonlyMap<string, string>;

function written(out: string): string[] {
  if (!existsSync(out)) return [];
  const text = readFileSync(out, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

/** Signals of one strategy by id, in the order in which they were first written. */
function signalsOf(lines: readonly string[], strategy: string): Signals {
  const found = new Map<string, string>();
  for (const line of lines) {
    const { latency_ms: _latency, ...signal } = JSON.parse(line) as Record<string, unknown>;
    const { signal_id: id, strategy_type: type } = signal;
    if (type === strategy && !found.has(String(id))) found.set(String(id), JSON.stringify(signal));
  }
  return found;
}

describe(`a replay on the canvas, killed (seed ${seed})`, function () {
  this.timeout(180_000);
  const source = reference('market/minute/BTCPERP-1m-nautilus-202201.csv');
  const { path: directory, remove } = temporaryDirectory('replay-canvas');
  const file = join(directory, 'BTCPERP-1m.csv');
  after(remove);

  before(() => {
    if (source === null) return;
    const lines = readFileSync(source, 'utf8').split('\n');
    writeFileSync(file, `${lines.slice(0, rows + 1).join('\n')}\n`);
  });

  /** Runs to the end; killed once so many lines more are in the file, one after the other. */
  async function run(name: string, kills: readonly number[], speed: number): Promise<string[]> {
    const { red, remove: removeRed } = await createOwnNodeRed();
    const out = join(directory, `${name}.jsonl`);
    const done = () => red.status('replay') === `done · ${rows}`;
    try {
      await red.start();
      await red.deploy(flow(file, out, speed));
      for (const more of kills) {
        const target = written(out).length + more;
        await until(`${target} signals are written`, () => written(out).length >= target, 30_000);
        assert.ok(!done(), 'the kill comes in mid-file');
        await red.end('SIGKILL');
        red.heard.length = 0;
        await red.start();
      }
      await until('the replay is done', done, 60_000);
      assert.equal(await red.end(), 0, red.output());
      return written(out);
    } catch (thrown) {
      const seen = `${written(out).length} signals, replay "${red.status('replay')}"`;
      throw new Error(`${String(thrown)}; ${seen}\n${red.output()}`, { cause: thrown });
    } finally {
      await red.end('SIGKILL');
      removeRed();
    }
  }

  it('every signal of both strategies reaches the file node, once known by its id, in order', async () => {
    if (source === null) return;
    const whole = await run('whole', [], 0);
    const random = seeded(seed);
    const kills = Array.from({ length: 3 }, () => 1 + Math.floor(random() * (whole.length / 8)));
    const killed = await run('killed', kills, speed);
    for (const strategy of ['moving_average_crossover', 'mean_reversion']) {
      const [expected, got] = [signalsOf(whole, strategy), signalsOf(killed, strategy)];
      assert.ok(expected.size > 100);
      const missing = [...expected.keys()].filter((id) => !got.has(id));
      assert.deepEqual(missing, []);
      assert.deepEqual([...got.values()], [...expected.values()]);
    }
  });
});

/** Files replayed by a process that is killed again and again: what it said is what one undisturbed run says. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../faults/proxy';
import { built } from '../helpers/built';
import { type Child, type Ended, startNode } from '../helpers/child';
import { reference } from '../helpers/references';
import { temporaryDirectory } from '../helpers/temporary';
import type { KillPoint, ReplayPlan } from './children/replay-child';

const seed = Number(process.env.TEST_SEED ?? 20_260_101);

/** Whole lines only: what a kill tore off was not said. */
function lines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

/** Each signal once, where it was first said, without the one field that may differ. */
function union(said: readonly string[], idName: string): { readonly ids: string[]; readonly bodies: string[] } {
  const known = new Map<string, string>();
  for (const line of said) {
    const { [idName]: id, ...rest } = JSON.parse(line) as Record<string, unknown>;
    delete rest.latency_ms;
    delete rest.latencyMs;
    const body = JSON.stringify(rest);
    const before = known.get(String(id));
    if (before === undefined) known.set(String(id), body);
    else assert.equal(body, before, `signal ${id} was said twice, differently`);
  }
  return { ids: [...known.keys()], bodies: [...known.values()] };
}

function assertSame(said: readonly string[], expected: readonly string[], idName: string): void {
  const got = union(said, idName);
  const wanted = union(expected, idName);
  const missing = wanted.ids.filter((id) => !new Set(got.ids).has(id));
  const strange = got.ids.filter((id) => !new Set(wanted.ids).has(id));
  assert.deepEqual({ missing, strange }, { missing: [], strange: [] });
  assert.deepEqual(got.ids, wanted.ids);
  assert.deepEqual(got.bodies, wanted.bodies);
}

describe(`the replay command, killed (seed ${seed})`, function () {
  this.timeout(180_000);
  const random = seeded(seed);

  interface Life {
    readonly ended: Ended;
    readonly said: readonly string[];
    readonly stderr: string;
  }

  /** One life: killed once it said `afterLines`, or `afterMs` after it was started, or never. */
  async function live(
    args: readonly string[],
    kill: { readonly afterLines: number } | { readonly afterMs: number } | null,
  ): Promise<Life> {
    const hear = (text: string, child: Child) => {
      if (kill !== null && 'afterLines' in kill && lines(text).length >= kill.afterLines) child.kill('SIGKILL');
    };
    const child = startNode([built('src/cli.js'), 'replay', ...args], { onStdout: hear });
    const timer = kill !== null && 'afterMs' in kill ? setTimeout(() => child.kill('SIGKILL'), kill.afterMs) : null;
    const ended = await child.ended;
    if (timer !== null) clearTimeout(timer);
    return { ended, said: lines(child.stdout()), stderr: child.stderr() };
  }

  for (const [path, strategyType] of [
    ['minute/BTCPERP-1m-nautilus-202201.csv', 'mean_reversion'],
    ['minute/BTCPERP-1m-nautilus-202201.csv', 'breakout_strategy'],
    ['tick/XRP_ETH-trades-freqtrade.json.gz', 'mean_reversion'],
    ['tick/XRP_ETH-trades-freqtrade.json.gz', 'moving_average_crossover'],
  ] as const) {
    it(`${path} through ${strategyType} says the same signals in the same order`, async () => {
      const file = reference(`market/${path}`);
      if (!file) return;
      const { path: data, remove } = temporaryDirectory('replay-kill');
      const base = [file, '--strategy', strategyType];
      const [timed, whole] = [performance.now(), await live(base, null)];
      const wholeMs = performance.now() - timed;
      assert.equal(whole.ended.code, 0, whole.stderr);
      assert.ok(whole.said.length > 50);
      const said: string[] = [];
      let kills = 0;
      for (let life = 0; ; life++) {
        assert.ok(life < 40, 'it never finishes');
        const byLines = { afterLines: 1 + Math.floor(random() * (whole.said.length / 4)) };
        const plan = life >= 5 ? null : random() < 0.6 ? byLines : { afterMs: random() * wholeMs };
        const one = await live([...base, '--data', data], plan);
        said.push(...one.said);
        if (one.ended.signal === 'SIGKILL') {
          kills++;
          continue;
        }
        assert.equal(one.ended.code, 0, one.stderr);
        break;
      }
      assert.ok(kills >= 2, `killed ${kills} times only`);
      assertSame(said, whole.said, 'signal_id');
      const again = await live([...base, '--data', data], null);
      assert.deepEqual(again.said, [], 'a finished replay has nothing more to say');
      remove();
    });
  }
});

describe(`a program of one's own that replays, killed (seed ${seed})`, function () {
  this.timeout(180_000);
  const rows = 10_000;
  const script = join(__dirname, 'children/replay-child.ts');
  const { path: directory, remove } = temporaryDirectory('replay-library');
  const file = reference('market/minute/BTCPERP-1m-nautilus-202201.csv');
  let undisturbed: { readonly said: readonly string[]; readonly state: unknown } = { said: [], state: null };
  after(remove);

  async function live(plan: ReplayPlan): Promise<Ended & { readonly stdout: string; readonly stderr: string }> {
    const child = startNode([script, JSON.stringify(plan)]);
    const ended = await child.ended;
    return { ...ended, stdout: child.stdout(), stderr: child.stderr() };
  }

  function said(plan: ReplayPlan): string[] {
    return existsSync(plan.out) ? lines(readFileSync(plan.out, 'utf8')) : [];
  }

  function planOf(name: string, batch: ReplayPlan['batch'], kill: ReplayPlan['kill']): ReplayPlan {
    return { file: file ?? '', data: join(directory, name), out: join(directory, `${name}.jsonl`), rows, batch, kill };
  }

  before(async () => {
    if (file === null) return;
    const plan = planOf('whole', [1_000, 1_000], null);
    const { code, stdout, stderr } = await live(plan);
    assert.equal(code, 0, stderr);
    undisturbed = { said: said(plan), state: JSON.parse(stdout) };
    assert.ok(undisturbed.said.length > 1_000);
  });

  /** Lives one after the other, each killed at its moment, then one to the end. */
  async function compare(name: string, kills: readonly NonNullable<ReplayPlan['kill']>[]): Promise<void> {
    let killed = 0;
    for (const [life, kill] of [...kills, null].entries()) {
      const batch = [100 + 40 * (life % 5), 500 + 90 * (life % 6)] as const;
      const one = await live(planOf(name, batch, kill));
      if (one.signal === 'SIGKILL') killed++;
      else assert.equal(one.code, 0, one.stderr);
      if (kill === null) assert.deepEqual(JSON.parse(one.stdout), undisturbed.state);
    }
    assert.equal(killed, kills.length, 'every kill hit');
    assertSame(said(planOf(name, [1, 1], null)), undisturbed.said, 'signalId');
  }

  const moments: readonly (readonly [title: string, kills: readonly (readonly [KillPoint, number])[]])[] = [
    [
      'between an event of the log and the next batch',
      [
        ['registered', 1],
        ['tracked', 2],
        ['changed', 1],
        ['tracked', 1],
        ['batch', 1],
      ],
    ],
    [
      'while a signal was on its way to it, twice at the same one',
      [
        ['signal unheard', 1],
        ['signal heard', 33],
        ['signal unheard', 200],
        ['signal unheard', 1],
        ['signal heard', 2],
      ],
    ],
    [
      'while a snapshot was taken and while it closed',
      [
        ['snapshot', 1],
        ['snapshot', 1],
        ['signal unheard', 5],
        ['closing', 1],
        ['closing', 1],
      ],
    ],
  ];
  for (const [title, kills] of moments) {
    it(`killed ${title}, it ends with the same signals, positions and totals`, async () => {
      if (file === null) return;
      await compare(
        title.replace(/\W/g, '-'),
        kills.map(([at, nth]) => ({ at, nth })),
      );
    });
  }
});

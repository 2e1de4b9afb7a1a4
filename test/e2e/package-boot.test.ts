/** The tarball, installed as a user would, in every Node-RED that it says it runs in. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeRed, type NodeRed } from '../helpers/node-red';
import { exampleNames, installedPackage, packedFiles, type Runtime, runtimes } from '../helpers/package';
import { read, root } from '../helpers/repository';

const name = '@strategy-engine/node-red-strategy-engine';
const manifest = JSON.parse(read('package.json')) as { 'node-red': { nodes: Readonly<Record<string, string>> } };
const files = Object.keys(manifest['node-red'].nodes);
const setUpMs = 240_000;

interface NodeSet {
  readonly name: string;
  readonly module: string;
  readonly enabled: boolean;
  readonly err?: string;
  readonly types: readonly string[];
}

function booted(runtime: Runtime): void {
  describe(`${runtime.name} with the package`, () => {
    let red: NodeRed;

    before(async function () {
      this.timeout(setUpMs);
      red = await createNodeRed(runtime, installedPackage());
      await red.start();
    });

    after(async () => {
      await red.end();
      red.remove();
    });

    it('has every node enabled', async () => {
      const sets = ((await (await red.get('/nodes')).json()) as NodeSet[]).filter(({ module }) => module === name);
      assert.deepEqual(sets.map((set) => set.name).sort(), [...files].sort());
      for (const { name: set, enabled, err, types } of sets) {
        assert.ok(enabled && err === undefined, `${set}: ${err}`);
        assert.deepEqual(types, [set === 'engine' ? 'strategy-engine' : `strategy-engine-${set}`]);
      }
    });

    it('serves each node its own icon, not the one it falls back on', async () => {
      const listed = (await (await red.get('/icons')).json()) as Readonly<Record<string, readonly string[]>>;
      const own = files.filter((file) => file !== 'engine').map((file) => `${file}.svg`);
      for (const icon of own) {
        assert.ok(listed[name]?.includes(icon), icon);
        const served = await (await red.get(`/icons/${name}/${icon}`)).text();
        assert.equal(served, readFileSync(join(root, 'icons', icon), 'utf8'));
      }
    });

    it('has forms, help and texts of every node', async () => {
      const page = await (await red.get('/nodes', 'text/html')).text();
      for (const file of files) {
        const type = file === 'engine' ? 'strategy-engine' : `strategy-engine-${file}`;
        assert.ok(page.includes(`data-template-name="${type}"`), `form of ${type}`);
        assert.ok(page.includes(`data-help-name="${type}"`), `help of ${type}`);
      }
      for (const file of files) {
        const texts = await (await red.get(`/locales/${name}/${file}?lng=en-US`)).json();
        assert.deepEqual(texts, JSON.parse(read(`nodes/locales/en-US/${file}.json`)));
      }
    });

    it('offers every example in its import dialog', async () => {
      const listing = async (path: string): Promise<string[]> => {
        const entries = (await (await red.get(`/library/examples/flows/${name}${path}`)).json()) as (
          | string
          | { fn: string }
        )[];
        const inner = entries.map(async (entry) =>
          typeof entry === 'string'
            ? (await listing(`${path}/${entry}`)).map((one) => `${entry}/${one}`)
            : [entry.fn.replace(/\.json$/, '')],
        );
        return (await Promise.all(inner)).flat();
      };
      assert.deepEqual((await listing('')).sort(), [...exampleNames()]);
    });

    it('tells the editor the types of strategies', async () => {
      const { types } = (await (await red.get('/strategy-engine/types')).json()) as {
        types: readonly { type: string }[];
      };
      assert.ok(types.some(({ type }) => type === 'moving_average_crossover'));
    });

    it('starts without an error in its log, and stops cleanly', async () => {
      assert.doesNotMatch(red.output(), /\[error\]|Missing node modules|Error loading/);
      assert.equal(await red.end(), 0);
    });
  });
}

describe('the tarball', () => {
  it('holds what Node-RED looks for beside the compiled nodes, and no sources or tests', function () {
    this.timeout(setUpMs);
    const packed = new Set(packedFiles());
    for (const file of files) {
      for (const path of [`${file}.js`, `${file}.html`, `locales/en-US/${file}.json`])
        assert.ok(packed.has(`dist/nodes/${path}`), path);
    }
    for (const example of exampleNames()) assert.ok(packed.has(`examples/${example}.json`), example);
    assert.deepEqual(
      [...packed].filter((path) => /^(src|nodes|test)\//.test(path)),
      [],
    );
  });
});

for (const runtime of runtimes()) booted(runtime);

/** What the flow library's scorecard looks at, and what it does not: done here without a network. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import type { z } from 'zod';
import type { Definition } from '../../nodes/shell';
import { exampleNames, readExample } from '../helpers/package';
import { has, ourFiles, read, root } from '../helpers/repository';

interface Manifest {
  readonly name: string;
  readonly license: string;
  readonly keywords: readonly string[];
  readonly repository: { readonly url: string };
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly 'node-red': { readonly version: string; readonly nodes: Readonly<Record<string, string>> };
}

interface Registered {
  readonly category: string;
  readonly color?: string;
  readonly icon?: string;
  readonly defaults: Readonly<
    Record<string, { readonly value?: unknown; readonly validate?: (v: unknown) => unknown }>
  >;
  readonly credentials?: Readonly<Record<string, unknown>>;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly inputLabels?: () => string;
  readonly outputLabels?: (index: number) => string;
  readonly label: () => string;
  readonly paletteLabel?: () => string;
}

interface Editor {
  readonly type: string;
  readonly definition: Registered;
  readonly html: string;
  readonly script: string;
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const files = Object.keys(manifest['node-red'].nodes);
const withPorts = files.filter((file) => file !== 'engine');

/** Runs a node's editor script as the editor would, and keeps what it registers. */
function editorOf(file: string): Editor {
  const html = read(`nodes/${file}.html`);
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  let type = '';
  let definition: Registered | null = null;
  const sandbox = {
    RED: {
      nodes: {
        registerType(name: string, registered: Registered) {
          type = name;
          definition = registered;
        },
      },
    },
  };
  const before = Object.keys(sandbox);
  runInNewContext(script, sandbox);
  assert.deepEqual(Object.keys(sandbox), before, `${file}.html leaves globals behind`);
  assert.ok(definition, `${file}.html registers nothing`);
  return { type, definition, html, script };
}

function runtimeOf(file: string): Definition<z.ZodObject> {
  return (require(join(root, 'nodes', file)) as { definition: Definition<z.ZodObject> }).definition;
}

function catalogueOf(file: string): Readonly<Record<string, unknown>> {
  return JSON.parse(read(`nodes/locales/en-US/${file}.json`)) as Record<string, unknown>;
}

function leaves(value: unknown, prefix = ''): string[] {
  if (typeof value === 'string') return [prefix];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    leaves(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}

/** Keys of the catalogue that the page asks for, in its markup and its script. */
function askedKeys({ html, script, definition }: Editor): Set<string> {
  const asked = new Set<string>();
  for (const [, text] of html.matchAll(/data-i18n="(?:\[\w+\])?([\w.-]+)"/g)) asked.add(String(text));
  for (const [, text] of script.matchAll(/\b_\('([\w.]+)'/g)) asked.add(String(text));
  for (let port = 1; port <= (definition.outputs ?? 0); port++) asked.add(`port.out${port}`);
  asked.delete('port.out');
  return asked;
}

describe('the package', () => {
  it('says what the flow library wants to know', () => {
    assert.match(manifest.name, /^@[a-z0-9-]+\/[a-z0-9-]+$/);
    assert.ok(manifest.license);
    assert.match(manifest.repository.url, /^git\+https:/);
    assert.ok(manifest.keywords.includes('node-red'));
    assert.equal(manifest['node-red'].version, '>=4.1.0');
    assert.equal(manifest.engines.node, '>=20.19');
    assert.ok(manifest.files.includes('examples') && manifest.files.includes('dist'));
    assert.ok(has('LICENSE'));
  });

  it('lists every node there is, by the path that Node-RED loads', () => {
    const pages = ourFiles().flatMap((path) => /^nodes\/([a-z-]+)\.html$/.exec(path)?.[1] ?? []);
    assert.deepEqual([...files].sort(), pages.sort());
    for (const [file, path] of Object.entries(manifest['node-red'].nodes)) {
      assert.equal(path, `dist/nodes/${file}.js`);
      assert.ok(has(`nodes/${file}.ts`));
    }
  });

  it('has every node in an example, and every example of one engine on one and the same', () => {
    const used = new Set<string>();
    const engines = new Set<string>();
    for (const name of exampleNames()) {
      const flow = readExample(name);
      for (const node of flow) used.add(node.type);
      const own = flow.filter(({ type }) => type === 'strategy-engine').map((node) => JSON.stringify(node));
      if (own.length === 1) for (const engine of own) engines.add(engine);
      assert.ok(
        flow.some(({ type }) => type === 'comment'),
        `${name} explains itself`,
      );
      const ids = flow.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    }
    for (const file of withPorts) assert.ok(used.has(editorOf(file).type), `${file} is in no example`);
    assert.equal(engines.size, 1);
  });

  it('has examples that need nothing but core nodes and ours, saved with today’s settings', () => {
    const core =
      /^(tab|comment|debug|inject|catch|http in|http response|function|change|join|group|strategy-engine(-.*)?)$/;
    const byType = new Map(files.map((file) => [editorOf(file).type, file]));
    for (const name of exampleNames()) {
      for (const node of readExample(name)) {
        assert.match(node.type, core, name);
        const file = byType.get(node.type);
        if (file === undefined) continue;
        const { shape } = runtimeOf(file).config;
        const own = Object.keys(node).filter((key) => !['id', 'type', 'z', 'x', 'y', 'wires'].includes(key));
        assert.deepEqual(own.sort(), Object.keys(shape).sort(), `${name}: ${node.type}`);
        assert.equal(node.version, runtimeOf(file).version, name);
        if ('outputs' in editorOf(file).definition)
          assert.equal((node.wires as unknown[]).length, editorOf(file).definition.outputs, `${name}: ${node.type}`);
      }
    }
  });

  it('has an icon of its own for each node: white on transparent, 40 by 60', () => {
    const seen = new Set<string>();
    for (const file of withPorts) {
      assert.equal(editorOf(file).definition.icon, `${file}.svg`);
      const svg = read(`icons/${file}.svg`);
      assert.match(svg, /width="40" height="60" viewBox="0 0 40 60"/);
      assert.deepEqual([...new Set([...svg.matchAll(/#[0-9a-f]{3,6}/gi)].map(String))], ['#fff']);
      assert.ok(!seen.has(svg), `${file} has the icon of another`);
      seen.add(svg);
    }
  });
});

for (const file of files) {
  describe(`the editor's side of ${file}`, () => {
    const editor = editorOf(file);
    const runtime = runtimeOf(file);

    it('is registered literally under the same type as the runtime’s', () => {
      assert.equal(editor.type, runtime.type);
      assert.equal(editor.type, file === 'engine' ? 'strategy-engine' : `strategy-engine-${file}`);
      assert.ok(editor.script.includes(`RED.nodes.registerType('${editor.type}', {`));
      assert.equal(editor.definition.category, file === 'engine' ? 'config' : 'strategy engine');
      for (const kind of ['data-template-name', 'data-help-name'])
        assert.ok(editor.html.includes(`${kind}="${editor.type}"`));
    });

    it('saves exactly what the runtime reads', () => {
      assert.deepEqual(Object.keys(editor.definition.defaults).sort(), Object.keys(runtime.config.shape).sort());
      assert.equal(JSON.stringify(editor.definition.credentials), JSON.stringify(runtime.credentials));
      assert.equal(editor.definition.defaults.version?.value, runtime.version);
    });

    it('has defaults that the runtime accepts as they are', () => {
      const values = Object.entries(editor.definition.defaults).map(([key, { value }]) => [key, value]);
      const parsed = (
        runtime.config as unknown as { safeParse(v: unknown): { success: boolean; error?: unknown } }
      ).safeParse(Object.fromEntries(values));
      assert.ok(parsed.success, String(parsed.error));
    });

    it('has a field in its form for every setting', () => {
      const prefix = file === 'engine' ? 'node-config-input-' : 'node-input-';
      const byHand = new Set(['version', 'parameters', 'kinds']);
      for (const key of [
        ...Object.keys(editor.definition.defaults),
        ...Object.keys(editor.definition.credentials ?? {}),
      ]) {
        if (!byHand.has(key)) assert.ok(editor.html.includes(`id="${prefix}${key}"`), key);
      }
    });

    it('has a text for every key it asks for, and no text that it does not', () => {
      const catalogue = new Set(leaves(catalogueOf(file)));
      const asked = askedKeys(editor);
      assert.deepEqual(
        [...asked].filter((key) => !catalogue.has(key)),
        [],
      );
      assert.deepEqual(
        [...catalogue].filter((key) => !asked.has(key)),
        [],
      );
    });

    it('says in words what is wrong with a value', () => {
      for (const [key, { value, validate }] of Object.entries(editor.definition.defaults)) {
        if (!validate) continue;
        const self = {
          _: (text: string) => text,
          symbolFrom: 'payload',
          store: 'memory',
          trigger: 'message',
          scope: 'message',
        };
        assert.equal(validate.length, 2, `${key} must take two arguments to give a reason`);
        if (key !== 'file') assert.equal(validate.call(self, value), true, `${key} refuses its own default`);
      }
    });

    it('keeps to the editor’s colours, so that dark themes work', () => {
      const markup = editor.html.replace(/color: '#[0-9A-F]{6}'/, '');
      assert.doesNotMatch(markup, /(?:color|background)\s*:\s*(?!var\(--red-ui-)/i);
    });

    it('has help with an example, and labels for its ports', () => {
      const help = /<script type="text\/markdown"[^>]*>([\s\S]*?)<\/script>/.exec(editor.html)?.[1] ?? '';
      assert.match(help, /^\n[A-Z].{20,}/);
      assert.match(help, /### Example\n/);
      const { inputs = 0, outputs = 0 } = editor.definition;
      if (inputs > 0) assert.match(help, /### Inputs\n/);
      if (outputs > 0) assert.match(help, /### Outputs\n/);
      const said = { _: (key: string) => (leaves(catalogueOf(file)).includes(key) ? key : '') };
      if (inputs > 0) assert.equal(editor.definition.inputLabels?.call(said), 'port.in');
      for (let port = 0; port < outputs; port++)
        assert.equal(editor.definition.outputLabels?.call(said, port), `port.out${port + 1}`);
      assert.equal(runtime.ports.count, outputs);
    });
  });
}

import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { findings, has, type Module, modules, ourFiles, read, root } from './helpers/repository';
import { functionsOf, importsOf, readSource } from './helpers/source-text';

const fileLinesMax = 300;
const functionLinesMax = 70;

function none(found: readonly string[]): void {
  assert.deepEqual(found, []);
}

const product = () => modules('src/', 'nodes/');

/** The module that a relative import means. */
function resolved(from: string, specifier: string): string {
  const path = posix.join(posix.dirname(from), specifier);
  return [`${path}.ts`, `${path}/index.ts`, path].find(has) ?? path;
}

describe('the reader of sources', () => {
  it('tells code from comments, texts, templates and patterns', () => {
    const inserted = '$' + '{c ? `{` : 1}';
    const source = `a = 'x{'; // {\nb = \`t${inserted}}\`; /* } */ d = 1 / 2; e = /[/}]{2}/g.test(f);`;
    const text = readSource(source);
    assert.equal(text.code.length, source.length);
    assert.equal([...text.code].filter((char) => char === '{').length, 1);
    assert.deepEqual(text.patterns, [{ source: '[/}]{2}', flags: 'g', line: 2 }]);
    assert.deepEqual(text.comments, ['// {', '/* } */']);
  });

  it('finds every function and nothing else that has braces', () => {
    const source = [
      'function a(x: { b: number }): { c: number } {', //
      '  if (x) { return { c: 1 }; }',
      '  for (const y of z) { y(); }',
      '}',
      'const b = async (x: number): Promise<void> => {',
      '};',
      'class C extends D {',
      '  get e(): readonly string[] { return []; }',
      '  async *f<T>(x: T) {',
      '    switch (x) { case 1: { break; } }',
      '    try { g(); } catch (e) { h(); } finally { i(); }',
      '  }',
      '}',
      'interface J { k: number }',
      'const l = { m() { return 1; }, n: { o: 1 } };',
    ].join('\n');
    assert.deepEqual(
      functionsOf(readSource(source).code).map((found) => [found.line, found.lines]),
      [
        [1, 4],
        [5, 2],
        [8, 1],
        [9, 4],
        [15, 1],
      ],
    );
  });

  it('reads imports of values and of types', () => {
    const source =
      "import type { A } from './a';\nimport { type B, c } from './b';\nimport {\n  type D,\n} from 'd';\nexport * from './e';";
    assert.deepEqual(importsOf(source), [
      { from: './a', isType: true },
      { from: './b', isType: false },
      { from: 'd', isType: true },
      { from: './e', isType: false },
    ]);
  });
});

describe('the house', () => {
  const doors: readonly string[] = ['src/', 'node:', 'zod'];
  /** From the more to the less particular: the first prefix that fits says what a room may import. */
  const arrows: readonly [room: string, mayImport: readonly string[]][] = [
    ['src/core/', ['src/core/', 'zod']],
    ['src/wire/', ['src/wire/', 'src/core/domain/', 'src/core/strategies/registry', 'zod']],
    ['src/live/', ['src/live/', 'src/core/', 'src/wire/', 'node:perf_hooks', 'node:crypto']],
    ['src/backtest/', ['src/backtest/', 'src/core/', 'src/live/ports', 'node:worker_threads', 'piscina']],
    ['src/adapters/', ['src/adapters/', 'src/live/ports', 'src/live/engine-api', 'src/wire/', 'src/core/domain/', '*']],
    ['src/compose.ts', ['src/', '*']],
    // The doors and their parts: files that lie in src itself.
    ['src/', doors],
    ['nodes/', ['nodes/', 'src/index', 'zod', 'node:', 'node-red']],
  ];

  it('has only arrows that the architecture draws', () => {
    const wrong: string[] = [];
    for (const module of product()) {
      const allowed = arrows.find(([room]) => module.path.startsWith(room))?.[1];
      const isNewRoom = allowed === doors && module.path.split('/').length > 2;
      if (isNewRoom) wrong.push(`${module.path} is in a room that no arrow is drawn for`);
      for (const { from, isType } of importsOf(module.withoutComments)) {
        const target = from.startsWith('.') ? resolved(module.path, from) : from;
        const isOutside = !from.startsWith('.');
        const fits = allowed?.some((prefix) => (prefix === '*' ? isOutside : target.startsWith(prefix)));
        // The dev dependency's types describe the runtime that loads the nodes; nothing of it is imported.
        if (!fits && !(isType && from === 'node-red')) wrong.push(`${module.path} -> ${from}`);
      }
    }
    none(wrong);
  });

  it('imports nothing from nodes', () => {
    none(
      modules('src/').flatMap((module) =>
        importsOf(module.withoutComments)
          .filter(({ from }) => from.startsWith('.') && resolved(module.path, from).startsWith('nodes/'))
          .map(({ from }) => `${module.path} -> ${from}`),
      ),
    );
  });

  it('has no cycles', () => {
    const edges = new Map<string, readonly string[]>();
    for (const module of product()) {
      const targets = importsOf(module.withoutComments).filter(({ from, isType }) => from.startsWith('.') && !isType);
      edges.set(
        module.path,
        targets.map(({ from }) => resolved(module.path, from)),
      );
    }
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of edges.keys()) visit(path, []);
    none(cycles);
  });

  it('keeps clock, randomness, I/O, timers, environment and async out of the core', () => {
    const banned =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bprocess\.|\bperformance\.|\bglobalThis\b|\bconsole\.|\bimport\s*\(|\basync\b|\bawait\b|\bnew Promise\b|\bPromise\.|\bcrypto\.|\bfetch\s*\(|\bIntl\b|\.toLocale|\.get(?:Hours|Minutes|Date|Day|Month|FullYear|TimezoneOffset)\(/;
    none(modules('src/core/').flatMap((module) => findings(module, module.code, banned)));
  });

  it(`has no file over ${fileLinesMax} lines and no function over ${functionLinesMax}`, () => {
    const long = product().flatMap((module) => {
      const lines = module.source.trimEnd().split('\n').length;
      const functions = functionsOf(module.code).filter((found) => found.lines > functionLinesMax);
      return [
        ...(lines > fileLinesMax ? [`${module.path} has ${lines} lines`] : []),
        ...functions.map((found) => `${module.path}:${found.line} has a function of ${found.lines} lines`),
      ];
    });
    none(long);
  });

  it('names its files in kebab-case, and nothing Manager, Helper, Util or Service', () => {
    const odd = [...product(), ...modules('test/')].filter(({ path }) => {
      const name = posix.basename(path).replace(/\.(?:test|contract|long|d)?\.?ts$/, '');
      return !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
    });
    none(odd.map(({ path }) => path));
    const vague = /\b(?:class|interface|type|function|const)\s+\w*(?:Manager|Helper|Utils?|Service)\b/;
    none(product().flatMap((module) => findings(module, module.code, vague)));
  });

  it('has no hole in its types', () => {
    const everywhere = [...product(), ...modules('test/')];
    none(everywhere.flatMap((module) => findings(module, module.code, /\bany\b(?!\s*\()/)));
    // A test may hand over what the types forbid, to see it refused.
    none(product().flatMap((module) => findings(module, module.code, /\bas unknown as\b/)));
    none(everywhere.flatMap((module) => findings(module, module.code, /[\w)\]]!(?![=\w])/)));
    const silenced = /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|eslint-disable/;
    none(
      everywhere.flatMap((module) =>
        module.comments.filter((comment) => silenced.test(comment)).map((comment) => `${module.path} ${comment}`),
      ),
    );
    none(
      everywhere.flatMap((module) =>
        findings(module, module.code, /^\s*(?:export )?(?:const )?enum\s|^\s*namespace\s/),
      ),
    );
  });

  it('inherits nothing in strategies and indicators', () => {
    const fast = modules('src/core/strategies/', 'src/core/indicators/');
    none(fast.flatMap((module) => findings(module, module.code, /\bclass\b[^{]*\bextends\b/)));
  });

  it('has no skipped or exclusive test, and titles that state facts', () => {
    const tests = modules('test/').filter(({ path }) => path.endsWith('.test.ts') || path.endsWith('.contract.ts'));
    none(
      tests.flatMap((module) =>
        findings(module, module.code, /\b(?:it|describe|context|specify)\.(?:only|skip)\b|\bx(?:it|describe)\(/),
      ),
    );
    none(tests.flatMap((module) => findings(module, module.withoutComments, /\bit\(\s*['"`][^'"`]*\bshould\b/)));
  });
});

describe('the catalogues', () => {
  const testText = () =>
    modules('test/')
      .filter(({ path }) => !path.startsWith('test/tidy') && !path.startsWith('test/bench/'))
      .map(({ source }) => source)
      .join('\n');
  const isImportedBy = (path: string, importers: readonly Module[]) =>
    importers.some((module) =>
      importsOf(module.withoutComments).some(
        ({ from }) => from.startsWith('.') && resolved(module.path, from) === path,
      ),
    );

  it('have every strategy type registered, tested and shown in an example', () => {
    const tests = testText();
    const examples = ourFiles().filter((path) => path.startsWith('examples/') && path.endsWith('.json'));
    const shown = examples.map(read).join('\n');
    const registry = modules('src/core/strategies/registry.ts');
    const missing = modules('src/core/strategies/').flatMap((module) => {
      const isDefinition = module.path.split('/').length > 4;
      const type = /^ {2}type: '([a-z0-9_]+)'/m.exec(module.source)?.[1];
      if (!isDefinition || !type) return [];
      return [
        ...(isImportedBy(module.path, registry) ? [] : [`${type} is not registered`]),
        ...(tests.includes(type) || isImportedBy(module.path, modules('test/')) ? [] : [`${type} has no test`]),
        ...(shown.includes(`"${type}"`) ? [] : [`${type} is in no example`]),
      ];
    });
    none(missing);
  });

  it('have every metric registered and tested', () => {
    const folder = 'src/core/performance/metrics/';
    const tests = testText();
    const registry = modules(`${folder}registry.ts`);
    const missing = modules(folder).flatMap((module) => {
      const name = posix.basename(module.path, '.ts');
      if (name === 'registry' || name === 'metric') return [];
      const camel =
        /\bname: '(\w+)'/.exec(module.source)?.[1] ??
        name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [
        ...(isImportedBy(module.path, registry) ? [] : [`${name} is not registered`]),
        ...([camel, snake].some((word) => new RegExp(`\\b${word}\\b`).test(tests)) ? [] : [`${name} has no test`]),
      ];
    });
    none(missing);
  });

  it('have every indicator tested', () => {
    const tests = modules('test/');
    const missing = modules('src/core/indicators/').flatMap(({ path }) =>
      isImportedBy(path, tests) || isImportedBy(path, modules('src/core/indicators/')) ? [] : [`${path} has no test`],
    );
    none(missing);
  });

  it('have every node with its help, icon, texts, test and example', () => {
    const manifest: unknown = JSON.parse(read('package.json'));
    const listed = (manifest as { 'node-red': { nodes: Record<string, string> } })['node-red'].nodes;
    const examples = ourFiles().filter((path) => path.startsWith('examples/') && path.endsWith('.json'));
    const shown = examples.map(read).join('\n');
    const files = ourFiles();
    const tests = modules('test/');
    const missing = Object.entries(listed).flatMap(([name, path]) => {
      const type = name === 'engine' ? 'strategy-engine' : `strategy-engine-${name}`;
      const html = has(`nodes/${name}.html`) ? read(`nodes/${name}.html`) : '';
      const code = has(`nodes/${name}.ts`) ? read(`nodes/${name}.ts`) : '';
      const needs: readonly [string, boolean][] = [
        ['is listed under another path', path === `dist/nodes/${name}.js`],
        ['has no nodes/*.ts', code !== ''],
        ['has no form', html.includes(`data-template-name="${type}"`)],
        ['has no help', html.includes(`data-help-name="${type}"`)],
        ['registers no literal type', html.includes(`registerType('${type}'`)],
        ['has no icon', name === 'engine' || has(`icons/${name}.svg`)],
        ['has no texts', has(`nodes/locales/en-US/${name}.json`)],
        ['has no test', isImportedBy(`nodes/${name}.ts`, tests)],
        ['is in no example', shown.includes(`"type":"${type}"`) || shown.includes(`"type": "${type}"`)],
      ];
      return needs.filter(([, holds]) => !holds).map(([what]) => `${name} ${what}`);
    });
    none(missing);
    const pages = files
      .filter((file) => /^nodes\/[\w-]+\.html$/.test(file))
      .map((file) => posix.basename(file, '.html'));
    none(pages.filter((name) => !Object.hasOwn(listed, name)).map((name) => `${name} is not in package.json`));
  });
});

describe('the package', () => {
  interface Manifest {
    readonly scripts: Record<string, string>;
    readonly dependencies: Record<string, string>;
    readonly files: readonly string[];
    readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  }
  const manifest = JSON.parse(read('package.json')) as Manifest;

  it('depends only on what was chosen, and on what the code imports', () => {
    const chosen = '@fastify/rate-limit csv-parse fastify ioredis lmdb piscina prom-client pure-rand zod'.split(' ');
    const named = Object.keys(manifest.dependencies);
    none(named.filter((name) => !chosen.includes(name)));
    const imported = new Set(
      product().flatMap((module) =>
        importsOf(module.withoutComments)
          .filter(({ from, isType }) => !from.startsWith('.') && !isType)
          .map(({ from }) =>
            from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] ?? ''),
          ),
      ),
    );
    none(
      [...imported].filter(
        (name) => !name.startsWith('node:') && !named.includes(name) && !builtinModules.includes(name),
      ),
    );
    none(named.filter((name) => !imported.has(name)).map((name) => `${name} is imported by nothing`));
  });

  it('runs nothing when it is installed', () => {
    const hooks = /^(?:pre|post)?install$|^prepare$|^prepublish$|^preprepare$|^postprepare$/;
    none(Object.keys(manifest.scripts).filter((name) => hooks.test(name)));
  });

  it('keeps registry addresses and machine paths out of the tree', () => {
    assert.ok(!/registry\s*=/.test(read('.npmrc')));
    assert.ok(!/"resolved"/.test(read('package-lock.json')));
    const ours = ourFiles().filter((path) =>
      /\.(?:ts|js|mjs|json|html|md|svg|yml|lua|sh)$|^\.ci\/|^\.[a-z]+rc/.test(path),
    );
    const machine = /(?:^|[\s"'`(=])\/(?:work|home|Users)\/(?!somebody\b)[A-Za-z]|[A-Z]:\\Users\\|\/tmp\/bash_jobs/;
    const found = ours.flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, i) => (machine.test(line) ? [`${path}:${i + 1} ${line.trim().slice(0, 80)}`] : [])),
    );
    none(found.filter((line) => !line.startsWith('test/tidy.test.ts')));
    assert.ok(root.length > 1);
  });
});

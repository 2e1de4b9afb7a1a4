import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { metrics as allMetrics } from '../src/core/performance/metrics/registry';
import { builtInStrategies } from '../src/core/strategies/registry';
import { createProduct, type Product } from './helpers/product';
import { has, read, root } from './helpers/repository';

const run = promisify(execFile);

/** The code blocks behind a `<!-- run: KIND -->`, in order. */
function blocks(kind: string): readonly string[] {
  const pattern = new RegExp(`<!-- run: ${kind} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g');
  return [...read('README.md').matchAll(pattern)].map((match) => match[1] ?? '');
}

interface Call {
  readonly url: string;
  readonly init: RequestInit;
}

/** A curl command line as the request it makes: the options that the README uses, and an error for any other. */
function curl(command: string): Call {
  const words = [...command.replace(/\\\n/g, ' ').matchAll(/'([^']*)'|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  assert.equal(words.shift(), 'curl');
  let url = '';
  let method = 'GET';
  let body: string | undefined;
  const headers: Record<string, string> = {};
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const value = () => words.shift() ?? '';
    if (word === '-X') method = value();
    else if (word === '-d') body = value();
    else if (word === '-H') {
      const [name = '', text = ''] = value().split(': ');
      headers[name] = text;
    } else {
      assert.match(word, /^http:/, `curl ${word} is not known to this test`);
      url = word;
    }
  }
  return { url, init: { method, headers, ...(body === undefined ? {} : { body }) } };
}

describe('the README', () => {
  const readme = read('README.md');

  it('names every strategy type, family and node that there is', () => {
    const missing = [...builtInStrategies.keys()].filter((type) => !readme.includes(`\`${type}\``));
    assert.deepEqual(missing, []);
    const manifest = JSON.parse(read('package.json')) as { 'node-red': { nodes: Record<string, string> } };
    const nodes = Object.keys(manifest['node-red'].nodes).filter((name) => !readme.includes(`| \`${name}\` |`));
    assert.deepEqual(nodes, []);
  });

  it('names no strategy type, metric, file or command that there is not', () => {
    const section = /<!-- strategies -->([\s\S]*?)\n\n/.exec(readme)?.[1] ?? '';
    const types = [...section.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '');
    assert.ok(types.length > 3);
    assert.deepEqual(
      types.filter((type) => !builtInStrategies.has(type)),
      [],
    );
    const metrics = /## How the numbers are meant([\s\S]*?)\nDays are/.exec(readme)?.[1] ?? '';
    const rows = [...metrics.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((match) => [
      ...(match[1] ?? '').matchAll(/`(\w+)`/g),
    ]);
    const known = new Set(allMetrics.map(({ name }) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)));
    assert.deepEqual(
      rows.map((match) => match[1] ?? '').filter((name) => !known.has(name)),
      [],
    );
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      [...links, 'src/core/domain/limits.ts'].filter((path) => !has(path)),
      [],
    );
    const usage = read('src/cli.ts');
    const commands = [...readme.matchAll(/npx strategy-engine (\w+)/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      commands.filter((command) => !new RegExp(`^ {2}${command} `, 'm').test(usage)),
      [],
    );
  });

  it('names the environment that the command line reads', () => {
    const usage = read('src/cli.ts');
    const listed = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1] ?? '');
    assert.deepEqual(
      listed.filter((name) => !usage.includes(name)),
      [],
    );
    const used = [...usage.matchAll(/\bprocess\.env\.([A-Z_]+)/g)].map((match) => match[1] ?? '');
    const own = new Set(['STRATEGY_ENGINE_STORE']);
    assert.deepEqual(
      used.filter((name) => !listed.includes(name) && !own.has(name)),
      [],
    );
  });

  it('shows library code that runs and says something', async () => {
    const [code] = blocks('ts');
    const dir = join(root, '.cache', 'readme');
    mkdirSync(dir, { recursive: true });
    const file = join(dir, `example-${process.pid}.ts`);
    writeFileSync(file, code ?? '');
    try {
      const { stdout } = await run(process.execPath, ['-r', 'tsx/cjs', file], { cwd: root, timeout: 30_000 });
      assert.match(stdout, /buy BTCUSDT \d/);
      assert.match(stdout, /ticksTotal: 240/);
    } finally {
      rmSync(file);
    }
  }).timeout(40_000);

  describe('first calls', () => {
    let product: Product;
    let dataDir = '';
    before(async function () {
      this.timeout(70_000);
      dataDir = mkdtempSync(join(tmpdir(), 'readme-'));
      product = await createProduct({ dataDir });
      await product.start();
    });
    after(async () => {
      await product.end('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('succeed one after the other', async () => {
      const calls = blocks('http').map(curl);
      assert.equal(calls.length, 6);
      for (const { url, init } of calls) {
        const answer = await fetch(url.replace('http://localhost:8000', product.apiUrl), init);
        const body = (await answer.json()) as { status?: string };
        assert.deepEqual([answer.status, body.status], [200, 'success'], `${url} ${JSON.stringify(body)}`);
      }
    });
  });
});

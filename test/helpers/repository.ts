/** The repository as files, for the tests of the house rules. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readSource, type SourceText } from './source-text';

export const root = resolve(__dirname, '../..');

const generated = new Set(['node_modules', 'dist', 'resources', '.git', '.cache', '.coverage', '.data']);

function walk(dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    if (generated.has(entry.name)) return [];
    const path = dir === '' ? entry.name : `${dir}/${entry.name}`;
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** Every file that is ours: what git tracks or would track; without git, what is not generated. */
export function ourFiles(): readonly string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
  } catch {
    return walk('');
  }
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function has(path: string): boolean {
  return existsSync(join(root, path));
}

/** A TypeScript file of ours, taken apart. */
export interface Module extends SourceText {
  readonly path: string;
  readonly source: string;
}

const parsed = new Map<string, Module>();

/** Modules whose path begins so, in order. */
export function modules(...folders: readonly string[]): readonly Module[] {
  const paths = ourFiles().filter((path) => path.endsWith('.ts') && folders.some((folder) => path.startsWith(folder)));
  return paths.sort().map((path) => {
    const known = parsed.get(path);
    if (known) return known;
    const source = read(path);
    const module = { path, source, ...readSource(source) };
    parsed.set(path, module);
    return module;
  });
}

/** Lines of the code where a pattern is found, as `path:line text`. */
export function findings(module: Module, text: string, pattern: RegExp): readonly string[] {
  const lines = module.source.split('\n');
  return text
    .split('\n')
    .flatMap((line, i) =>
      pattern.test(line) ? [`${module.path}:${i + 1} ${(lines[i] ?? '').trim().slice(0, 100)}`] : [],
    );
}

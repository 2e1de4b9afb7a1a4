/** The compiled product: `dist`, or what PACKAGE_DIST names (a build of one's own while others use `dist`). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './repository';

const dist = resolve(root, process.env.PACKAGE_DIST ?? 'dist');

/** Path of a compiled file, as `src/cli.js`. */
export function built(path: string): string {
  const full = join(dist, path);
  if (!existsSync(full)) throw new Error(`${full} is missing: run \`npm run build\` first`);
  return full;
}

/** Root of the package that holds the build: Node-RED loads the nodes from there. */
export const builtPackage = resolve(dist, '..');

/** A real Node-RED that loads the nodes from the build, by a link: nothing is packed or installed. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { builtPackage } from './built';
import { createNodeRed, type NodeRed } from './node-red';
import { root } from './repository';
import { temporaryDirectory } from './temporary';

/** Not started yet. `remove` it, and its directory, at the end. */
export async function createOwnNodeRed(env: Readonly<Record<string, string>> = {}): Promise<{
  readonly red: NodeRed;
  remove(): void;
}> {
  const modules = temporaryDirectory('modules');
  mkdirSync(join(modules.path, '@strategy-engine'));
  symlinkSync(builtPackage, join(modules.path, '@strategy-engine/node-red-strategy-engine'), 'dir');
  const runtime = { name: 'Node-RED', node: process.execPath, red: join(root, 'node_modules/node-red/red.js') };
  const red = await createNodeRed(runtime, modules.path, env);
  return {
    red,
    remove() {
      red.remove();
      modules.remove();
    },
  };
}

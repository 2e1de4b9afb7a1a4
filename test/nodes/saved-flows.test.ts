/** Flows that were saved by an earlier version of the nodes: they load, each under today's settings. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Definition } from '../../nodes/shell';
import { read, root } from '../helpers/repository';

interface Saved {
  readonly type: string;
  readonly version?: number;
}

const manifest = JSON.parse(read('package.json')) as { 'node-red': { nodes: Readonly<Record<string, string>> } };
const definitions = new Map(
  Object.keys(manifest['node-red'].nodes).map((file) => {
    const { definition } = require(join(root, 'nodes', file)) as { definition: Definition<z.ZodObject> };
    return [definition.type, definition] as const;
  }),
);
const folder = join(__dirname, 'saved');
const versions = readdirSync(folder).map((file) => ({
  file,
  nodes: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Saved[],
}));

/** As the shell does before it opens a node. */
function migrated({ migrations = [], version }: Definition<z.ZodObject>, saved: Saved): Record<string, unknown> {
  let config: Record<string, unknown> = { ...saved };
  for (let at = Number(saved.version ?? 0); at < version; at++) config = migrations[at]?.(config) ?? config;
  return config;
}

describe('flows saved by earlier versions', () => {
  for (const { file, nodes } of versions) {
    for (const saved of nodes) {
      it(`${file}: ${saved.type} opens with the settings that it was saved with`, () => {
        const definition = definitions.get(saved.type);
        assert.ok(definition, `${saved.type} is gone; a saved flow would not load`);
        const { data, error } = definition.config.safeParse(migrated(definition, saved));
        assert.ifError(error);
        for (const [key, value] of Object.entries(saved)) {
          if (!(key in definition.config.shape) || key === 'version' || definition.version > 1) continue;
          const now = data?.[key];
          const same = [String(value), String(value === '' ? null : value), String(String(value).split(/[\s,]+/))];
          assert.ok(same.includes(String(now)) || typeof value === 'object', `${key}: ${value} became ${now}`);
        }
      });
    }
  }

  it('hold every node of their version, and every version has its flows', () => {
    const newest = Math.max(...[...definitions.values()].map(({ version }) => version));
    for (let version = 1; version <= newest; version++) {
      assert.ok(
        versions.some(({ file }) => file === `version-${version}.json`),
        `no flow of version ${version} is kept: save one before it goes out`,
      );
    }
    for (const definition of definitions.values()) {
      const kept = versions.flatMap(({ nodes }) => nodes).filter(({ type }) => type === definition.type);
      assert.ok(kept.length > 0, definition.type);
      for (let version = 1; version < definition.version; version++)
        assert.ok(definition.migrations?.[version], `${definition.type} has no migration from ${version}`);
    }
  });
});

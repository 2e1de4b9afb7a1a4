/** S6: what is shipped, and what it brings along. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { packedFiles, packedPackage } from '../helpers/package';
import { read } from '../helpers/repository';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  /** Inside of the tarball of another, whose checksum holds for it. */
  readonly inBundle?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};
const lock = JSON.parse(read('package-lock.json')) as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
};

/** Build prebuilt binaries when they are missing; they work without their script, as `npm ci --ignore-scripts` shows. */
const mayHaveScript: readonly string[] = ['node_modules/lmdb', 'node_modules/msgpackr-extract'];

describe('what is shipped', function () {
  this.timeout(240_000);

  const shapes: readonly (readonly [string, RegExp])[] = [
    ['the page of the package', /^(?:package\.json|README\.md|PRODUCTION\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/],
    ['compiled code and its types', /^dist\/(?:src|nodes)\/[a-z0-9/-]+\.(?:js|d\.ts)$/],
    ['maps of compiled code', /^dist\/(?:src|nodes)\/[a-z0-9/-]+\.(?:js|d\.ts)\.map$/],
    ['forms of the nodes', /^dist\/nodes\/[a-z-]+\.html$/],
    ['icons of the nodes', /^dist\/nodes\/icons\/[a-z-]+\.svg$/],
    ['texts of the nodes', /^dist\/nodes\/locales\/[a-zA-Z-]+\/[a-z-]+\.json$/],
    ['examples', /^examples\/[\w .,'/-]+\.json$/],
    ['files of the editor', /^resources\/[\w./-]+$/],
  ];

  it('is what belongs there, and nothing else', () => {
    const odd = packedFiles().filter((path) => !shapes.some(([, shape]) => shape.test(path)));
    assert.deepEqual(odd, []);
    for (const name of [
      'package.json',
      'README.md',
      'PRODUCTION.md',
      'LICENSE',
      'dist/src/index.js',
      'dist/src/cli.js',
    ])
      assert.ok(packedFiles().includes(name), name);
  });

  it('is smaller than 1 MB', () => {
    const bytes = statSync(packedPackage()).size;
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  });

  it('runs nothing when it is installed', () => {
    const hooks = /^(?:pre|post)?(?:install|prepare|publish|pack)(?:Only)?$/;
    assert.deepEqual(
      Object.keys(manifest.scripts).filter((name) => hooks.test(name)),
      [],
    );
    const scripted = Object.entries(lock.packages).filter(([, one]) => one.hasInstallScript && !one.dev && !one.peer);
    assert.deepEqual(
      scripted.map(([path]) => path).filter((path) => !mayHaveScript.includes(path)),
      [],
    );
  });

  it('brings what is locked: every package with its checksum, and the manifest as it stands', () => {
    assert.equal(lock.lockfileVersion, 3);
    assert.deepEqual(lock.packages['']?.dependencies, manifest.dependencies);
    const unsure = Object.entries(lock.packages).filter(
      ([path, one]) => path !== '' && !one.link && !one.inBundle && !/^sha512-/.test(one.integrity ?? ''),
    );
    assert.deepEqual(
      unsure.map(([path]) => path),
      [],
    );
  });
});

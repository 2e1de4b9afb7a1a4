import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { findings, modules, ourFiles, read } from './helpers/repository';
import { importsOf } from './helpers/source-text';

function none(found: readonly string[]): void {
  assert.deepEqual(found, []);
}

const product = () => modules('src/', 'nodes/');

/** The demo starts the user's Node-RED; nothing else starts a process. */
const mayStartProcesses = /^src\/(?:cli|demo)(?:\.ts$|\/)/;

describe('what the code can never do', () => {
  it('evaluates no text as code', () => {
    const evaluation = /(?<!\.)\beval\s*\(|\bnew Function\b|\bFunction\s*\(|\brunIn(?:New|This)?Context\b|\bvm\./;
    none(product().flatMap((module) => findings(module, module.code, evaluation)));
    const texts = /\bset(?:Timeout|Interval)\(\s*['"`]/;
    none(product().flatMap((module) => findings(module, module.withoutComments, texts)));
  });

  it('starts no process but the demo, calls no address, loads no name it computed', () => {
    const found = product().flatMap((module) => {
      const names = importsOf(module.withoutComments)
        .filter(({ isType }) => !isType)
        .map(({ from }) => from);
      const clients = names.filter((name) =>
        /^(?:node:)?(?:https|http2|dgram|vm|cluster|inspector)$|^(?:axios|got|undici|node-fetch)$/.test(name),
      );
      const processes = names.filter((name) => /child_process$/.test(name) && !mayStartProcesses.test(module.path));
      return [...clients, ...processes].map((name) => `${module.path} imports ${name}`);
    });
    none(found);
    const calls = /\bfetch\s*\(|\bhttps?\.(?:get|request)\s*\(|\bXMLHttpRequest\b|\bnew WebSocket\b/;
    none(product().flatMap((module) => findings(module, module.code, calls)));
    none(
      product()
        .flatMap((module) => findings(module, module.withoutComments, /(?<![.\w])(?:require|import)\s*\(\s*[^'"\s)]/))
        // The demo loads the Node-RED that it finds.
        .filter((line) => !line.startsWith('src/adapters/node-red/demo.ts'))
        // A method of that name.
        .filter((line) => !/ require\(\w+(?::|\) \{)/.test(line)),
    );
  });

  it('listens nowhere beyond loopback by default and never touches headersDistinct', () => {
    none(product().flatMap((module) => findings(module, module.code, /\bheadersDistinct\b|\btrailersDistinct\b/)));
    none(
      product()
        .flatMap((module) => findings(module, module.withoutComments, /['"`]0\.0\.0\.0['"`]/))
        .filter((line) => !/loopback|===|includes|Set/.test(line)),
    );
  });

  it('swaps no prototype: nothing copies unknown keys onto an object', () => {
    const swaps = /\b__proto__\b|\bsetPrototypeOf\b|\bObject\.assign\(\s*\{\}\s*,\s*JSON\.parse/;
    none(product().flatMap((module) => findings(module, module.code, swaps)));
  });

  it('holds no secret', () => {
    const secret =
      /-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30}|\bnpm_[A-Za-z0-9]{30}|\bAKIA[A-Z0-9]{16}\b|\bxox[bap]-/;
    const files = ourFiles().filter((path) => !/\.(?:png|gz|ico)$/.test(path));
    none(files.filter((path) => secret.test(read(path))));
  });
});

describe('patterns', () => {
  /** Longer than any text a door lets through to a pattern (a pattern sees at most a field, a cell or a header). */
  const chars = 20_000;
  const budgetMs = 250;

  /** Patterns that see only texts of our own making, of bounded length. */
  const ownTexts: ReadonlySet<string> = new Set(['src/core/domain/money.ts 0+$']);

  /** How long the pattern takes at best of three: a shared machine may pause any single one. */
  function patience(pattern: RegExp, attack: string): number {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3 && best > budgetMs; i++) {
      const begin = performance.now();
      try {
        runInNewContext('pattern.test(attack)', { pattern, attack }, { timeout: 2_000 });
      } catch {
        return Number.POSITIVE_INFINITY;
      }
      best = Math.min(best, performance.now() - begin);
    }
    return best;
  }

  /** Pieces of the pattern itself, repeated: what makes a backtracking engine go through all of its ways. */
  function attacks(source: string): readonly string[] {
    const literal = source.replace(/\\[dwsDWSbB]|[\\^$.*+?()[\]{}|]/g, '');
    const pieces = new Set([
      'a',
      '0',
      ' ',
      '-',
      '.',
      '"',
      '\\',
      '/',
      ',',
      '(',
      '{',
      'a0',
      '0.',
      'a-',
      'a ',
      ' a',
      '0:',
      'e0',
      '::',
      '\t ',
      ...literal.slice(0, 12),
    ]);
    return [...pieces].map((piece) => piece.repeat(Math.ceil(chars / piece.length)));
  }

  it('of ours answer on any text at once', () => {
    const slow: string[] = [];
    for (const { path, patterns } of product()) {
      for (const { source, flags, line } of patterns) {
        if (ownTexts.has(`${path} ${source}`)) continue;
        const pattern = new RegExp(source, flags.replace(/[gy]/g, ''));
        for (const text of attacks(source)) {
          for (const attack of [`${text}\u0000`, `${text}\n!`, `0${text}\u0001`]) {
            const tookMs = patience(pattern, attack);
            const what = `${path}:${line} /${source}/ on ${JSON.stringify(attack.slice(0, 6))}`;
            if (tookMs > budgetMs) slow.push(`${what} took ${Math.round(tookMs)} ms`);
          }
        }
      }
    }
    none([...new Set(slow)]);
  }).timeout(60_000);

  it('are written out, so that the check above sees them all', () => {
    none(product().flatMap((module) => findings(module, module.code, /\bnew RegExp\s*\(|[^.\w]RegExp\s*\(/)));
  });

  it('that backtrack without end are caught by the check', () => {
    const pattern = /^(a+)+$/;
    assert.throws(() => runInNewContext('p.test(t)', { p: pattern, t: `${'a'.repeat(60)}!` }, { timeout: 300 }));
  });
});

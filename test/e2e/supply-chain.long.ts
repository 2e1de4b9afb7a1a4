/** S6: advisories on what is shipped, where the registry answers that. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { figure } from '../helpers/figures';
import { root } from '../helpers/repository';

interface Audit {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
}

function audit(): Audit {
  try {
    const args = ['audit', '--omit=dev', '--omit=peer', '--json'];
    return JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (thrown) {
    // It exits with 1 when it has found something, and when it was not answered.
    const { stdout } = thrown as { readonly stdout?: string };
    return stdout ? JSON.parse(stdout) : {};
  }
}

describe('advisories on the runtime dependencies', () => {
  it('of high or critical severity are none', () => {
    const found = audit().metadata?.vulnerabilities;
    const serious = (found?.high ?? 0) + (found?.critical ?? 0);
    const value = found === undefined ? 'not answered by this registry' : JSON.stringify(found);
    const isClean = found !== undefined && serious === 0;
    figure('S6', 'npm audit of the runtime dependencies', value, 'high 0, critical 0', isClean, { tier: 'R' });
    assert.equal(serious, 0, value);
  });
});

/** T13, a few of the commands: a Redis that fails at one of them, under every node in a real Node-RED. */
import assert from 'node:assert/strict';
import { Rehearsal } from '../faults/rehearsal';
import { failingAt, pass, refusal } from '../faults/resp-server';

describe('every node with a Redis that fails at one command', () => {
  let rehearsal: Rehearsal;
  before(async function () {
    this.timeout(120_000);
    rehearsal = await Rehearsal.open();
  });
  after(() => rehearsal.close());

  it('ends in the state of a run without the fault, whichever command it was', async () => {
    const clean = await rehearsal.run('clean', () => pass);
    assert.ok(clean.commands >= 10 && clean.known.signals > 0, JSON.stringify(clean));
    const some = [
      [2, { kind: 'cut' }],
      [5, refusal('READONLY You can not write against a read only replica.')],
      [clean.commands - 4, { kind: 'hang' }],
      [clean.commands - 2, { kind: 'cut-after' }],
    ] as const;
    for (const [k, act] of some) {
      const faulty = await rehearsal.run(`k${k}`, failingAt(k, act));
      assert.deepEqual(faulty.known, clean.known, `command ${k}: ${JSON.stringify(act)}`);
    }
  }).timeout(120_000);
});

/** T13: a Redis that fails at its first, second, third … command in every way, under every node in a real Node-RED. */
import assert from 'node:assert/strict';
import { Rehearsal } from '../faults/rehearsal';
import { type Act, failingAt, pass, refusal } from '../faults/resp-server';
import { figure } from '../helpers/figures';

const acts: readonly (readonly [string, Act])[] = [
  ['cut before', { kind: 'cut' }],
  ['cut after', { kind: 'cut-after' }],
  ['refused', refusal('READONLY You can not write against a read only replica.')],
  ['hanging', { kind: 'hang' }],
  ['half answered', { kind: 'half' }],
];
/** A faulty run reconnects, and so sends more than one without a fault. */
const more = 6;

const stores = [
  ['T13.embedded', 'embedded'],
  ['T13.redis', 'redis'],
] as const;

for (const [id, store] of stores) {
  describe(`every node, store ${store}, with a Redis that fails at every command`, () => {
    let rehearsal: Rehearsal;
    before(async () => {
      rehearsal = await Rehearsal.open({ store });
    });
    after(() => rehearsal.close());

    it('ends in the state of a run without the fault', async () => {
      const clean = await rehearsal.run('clean', () => pass);
      let runs = 0;
      let requests = 0;
      let slowestMs = 0;
      for (let k = 1; k <= clean.commands + more; k++) {
        for (const [name, act] of acts) {
          const faulty = await rehearsal.run(`k${k}-${runs}`, failingAt(k, act)).catch((thrown: unknown) => {
            throw new Error(`command ${k} ${name}: ${String(thrown)}`, { cause: thrown });
          });
          assert.deepEqual(faulty.known, clean.known, `command ${k} ${name}`);
          runs += 1;
          requests += faulty.requests;
          slowestMs = Math.max(slowestMs, faulty.slowestMs);
        }
      }
      const goal = '0 exits, 0 unanswered, same state';
      const what = `every node in Node-RED, store ${store}, Redis failing at each of its commands in five ways`;
      const value = `${runs} runs, ${requests} requests answered, slowest ${Math.round(slowestMs)} ms, same state in all`;
      assert.ok(figure(id, what, value, goal, runs >= 50 && slowestMs < 5_000));
    });
  });
}

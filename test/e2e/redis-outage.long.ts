/** T5: Redis away, then frozen, for a minute under 2,000 requests a second. `TEST_OUTAGE_S`, `TEST_PER_S` make it less. */
import assert from 'node:assert/strict';
import { endure } from '../faults/outage';
import { figure } from '../helpers/figures';

const seed = Number(process.env.TEST_SEED ?? 20_260_105);
const forS = Number(process.env.TEST_OUTAGE_S ?? 60);
const perS = Number(process.env.TEST_PER_S ?? 2_000);

describe(`a Redis that is away for ${forS} s under ${perS} requests a second`, () => {
  for (const [kind, status] of [
    ['down', 503],
    ['frozen', 504],
  ] as const) {
    it(`${kind}: every request is answered in time, memory is flat, sums are exact`, async () => {
      const endured = await endure({ kind, forS, pace: { perS }, seed });
      const { statuses, slowestMs, p99Ms, rssGrownMb, firstSuccessMs, logLines, hasExited, isExact } = endured;
      const what = `Redis ${kind} for ${forS} s at ${perS} requests/s`;
      const circumstances = { seed };
      const told = [...statuses].map(([code, count]) => `${code}: ${count}`).join(', ');
      const isOnly =
        (statuses.get(status) ?? 0) > 0 && [...statuses.keys()].every((one) => [200, 503, 504].includes(one));
      const times = `p99 ${Math.round(p99Ms)} ms, slowest ${Math.round(slowestMs)} ms`;
      const id = `T5.${kind}`;
      const tell = (part: string, words: string, value: string, goal: string, met: boolean) =>
        figure(`${id}.${part}`, `${what}: ${words}`, value, goal, met, circumstances);
      const met = [
        tell('answers', 'answers meanwhile', told, `${status}, never without`, isOnly),
        tell('time', 'time to any answer', times, '<= 600 ms', slowestMs <= 600),
        tell('memory', 'growth of RSS', `${Math.round(rssGrownMb)} MB`, '< 30 MB', rssGrownMb < 30),
        tell(
          'back',
          'first success after the return',
          `${Math.round(firstSuccessMs)} ms`,
          '<= 5,500 ms',
          firstSuccessMs <= 5_500,
        ),
        tell('log', 'log lines', String(logLines), '< 20', logLines < 20),
        tell('exact', 'sums afterwards', isExact ? 'exact' : 'not exact', 'exact, 0 exits', isExact && !hasExited),
      ];
      assert.deepEqual(
        met,
        met.map(() => true),
      );
    });
  }
});

import assert from 'node:assert/strict';
import { openEngine } from '../../src/compose';
import type { StrategyDefinition } from '../../src/core/strategies/strategy';
import { bar, startMs } from '../helpers/core';
import { message } from '../helpers/living';
import { obedient } from '../helpers/obedient';
import { recordingLogger, temporaryDirectory } from '../helpers/temporary';

const up = (i: number) => bar('AAA', startMs + i * 60_000, [100, 103, 99, 102]);
const down = (i: number) => bar('AAA', startMs + i * 60_000, [100, 101, 97, 98]);

describe('types of the user over an embedded store', () => {
  const directory = temporaryDirectory('own-types');
  after(() => directory.remove());

  it('handed in with the engine are restored exactly from what is on disk', async () => {
    const open = () =>
      openEngine({
        name: 'own',
        store: { kind: 'embedded', path: directory.path },
        strategies: [obedient as unknown as StrategyDefinition],
        logger: recordingLogger(),
      });
    const first = await open();
    await first.register({ strategyType: 'obedient', strategyId: 'o', timeframe: '1m' });
    await first.processMarketData(message([up(0), up(1), up(2)]));
    const before = [first.position('o', 'AAA'), first.decisions('o'), first.summary().throughput.signalsTotal];
    await first.close();
    const second = await open();
    assert.deepEqual(
      [second.position('o', 'AAA'), second.decisions('o'), second.summary().throughput.signalsTotal],
      before,
    );
    const { signals } = await second.processMarketData(message([down(3)]));
    assert.deepEqual(
      signals.map(({ intent }) => intent),
      ['reverse'],
    );
    await second.close();
  });
});

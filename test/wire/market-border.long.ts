/** T10: a million messages at the border. `TEST_MESSAGES` says how many. */
import assert from 'node:assert/strict';
import { fuzzMarketText } from '../faults/hostile-messages';
import { figure } from '../helpers/figures';

const messages = Number(process.env.TEST_MESSAGES ?? 1_000_000);
const seed = Number(process.env.TEST_SEED ?? 20_260_107);

describe(`${messages} fuzzed messages at the border (seed ${seed})`, () => {
  it('throw nothing but errors of the catalogue, and pollute nothing', () => {
    const { accepted, refused } = fuzzMarketText(messages, seed);
    const value = `${messages} messages: ${accepted} ticks accepted, ${refused} messages refused, 0 thrown`;
    const met = accepted > messages / 100 && refused > messages / 100;
    assert.ok(figure('T10', 'fuzzed market data in process', value, '0 throws, prototypes unchanged', met, { seed }));
  });
});

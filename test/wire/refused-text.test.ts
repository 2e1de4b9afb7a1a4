import assert from 'node:assert/strict';
import { parseMarketText } from '../../src/wire/market-data';
import { refusedText } from '../../src/wire/refused-text';

const good = { symbol: 'BTCUSDT', price: 1 };
const bad = { symbol: 'BTCUSDT', price: -1 };

/** What is kept of a message some of whose items were refused. */
function kept(message: unknown): unknown {
  const text = JSON.stringify(message);
  const { rejected } = parseMarketText(text, { source: 's', arrivalMs: 1_767_225_600_000, door: 'live' });
  return JSON.parse(refusedText(text, rejected));
}

describe('the refused part of a message', () => {
  it('holds the refused items and none that was used, in the form in which they came', () => {
    assert.deepEqual(kept([good, bad, good, { symbol: '' }]), [bad, { symbol: '' }]);
    assert.deepEqual(kept({ market_data: [bad, good] }), { market_data: [bad] });
    assert.deepEqual(kept({ market_data: bad }), { market_data: bad });
    assert.deepEqual(kept(bad), bad);
  });

  it('asks for the same asset types, so that what was not asked for is not used when it comes again', () => {
    const stock = { symbol: 'AAPL', price: 1 };
    const message = { market_data: [good, stock], asset_types: ['crypto'] };
    assert.deepEqual(kept(message), { market_data: [stock], asset_types: ['crypto'] });
  });
});

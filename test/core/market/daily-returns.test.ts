import assert from 'node:assert/strict';
import { dailyReturns } from '../../../src/core/market/daily-returns';
import { dayIndex } from '../../../src/core/performance/day-rule';
import { bar, market, play, t0 } from './market-samples';

const hour = 3_600_000;
const day = 24 * hour;

describe('daily returns of a symbol', () => {
  /** Hourly bars whose close is 100 + the hour, from 21:00 on. */
  const hourly = (hours: number) => Array.from({ length: hours }, (_, i) => bar(i * hour, '1h', 100 + i));

  it('are of the last closes of the days that its bars cover; the first day has none', () => {
    const start = t0 - (t0 % day);
    const sm = market(['1h']);
    const offset = (start + day - 3 * hour - t0) / hour;
    play(
      sm,
      hourly(60).map((one) => ({ ...one, timestampMs: one.timestampMs + offset * hour })),
      'ordered',
    );
    const first = dayIndex('utc_365', start);
    assert.deepEqual(
      [...dailyReturns(sm, 'utc_365')],
      [
        [first + 1, 126 / 102 - 1],
        [first + 2, 150 / 126 - 1],
        [first + 3, 159 / 150 - 1],
      ],
    );
  });

  it('are read off the series that covers most time', () => {
    const sm = market(['1d', '1h']);
    const from = -((t0 % day) / hour) * hour;
    const days = Array.from({ length: 4 }, (_, i) => bar(from + i * day, '1d', 10 * (i + 1)));
    play(sm, [...days, ...hourly(3)], 'ordered');
    assert.deepEqual([...dailyReturns(sm, 'utc_365').values()], [1, 0.5, 40 / 30 - 1]);
  });

  it('there are none of a symbol without bars', () => {
    assert.equal(dailyReturns(market(['1h']), 'utc_365').size, 0);
  });
});

import assert from 'node:assert/strict';
import { dayIndex, dayOfHalf, dayRuleOf, dayRules, halfDayOf } from '../../../src/core/performance/day-rule';

const at = (text: string) => Date.parse(text);

describe('days that can trade', () => {
  it('roll at 17:00 New York under fx_260, through both changes of its clock', () => {
    // Spring of 2024 began on 10 March, autumn on 3 November; 1999 on 4 April and 31 October.
    for (const [before, after] of [
      ['2024-03-08T21:59:59.999Z', '2024-03-08T22:00:00Z'],
      ['2024-03-11T20:59:59.999Z', '2024-03-11T21:00:00Z'],
      ['2024-07-01T20:59:59.999Z', '2024-07-01T21:00:00Z'],
      ['2024-11-01T20:59:59.999Z', '2024-11-01T21:00:00Z'],
      ['2024-11-04T21:59:59.999Z', '2024-11-04T22:00:00Z'],
      ['1999-04-05T20:59:59.999Z', '1999-04-05T21:00:00Z'],
      ['1999-11-01T21:59:59.999Z', '1999-11-01T22:00:00Z'],
    ] as const) {
      assert.equal(dayIndex('fx_260', at(after)), dayIndex('fx_260', at(before)) + 1, before);
    }
  });

  it('agree with the time zone database on every hour of twelve years', () => {
    const hourIn = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'America/New_York',
      hour: '2-digit',
      hourCycle: 'h23',
    });
    for (let ms = at('2004-01-01T00:30:00Z'); ms < at('2016-01-01'); ms += 7 * 3_600_000) {
      const rolled = halfDayOf(ms) % 2 === 1;
      const hourUtc = new Date(ms).getUTCHours();
      const hour = Number(hourIn.format(ms));
      // Past the roll the hour there is 17 or more, and midnight UTC is not reached.
      assert.equal(rolled, hour >= 17 && hour <= hourUtc, new Date(ms).toISOString());
    }
  });

  it('are consecutive from Friday to Monday, and the weekend belongs to Monday', () => {
    const friday = dayIndex('weekday_252', at('2024-01-05T12:00:00Z'));
    for (const text of ['2024-01-06T00:00:00Z', '2024-01-07T23:59:59Z', '2024-01-08T12:00:00Z']) {
      assert.equal(dayIndex('weekday_252', at(text)), friday + 1, text);
    }
    assert.equal(dayIndex('fx_260', at('2024-01-05T22:00:00Z')), dayIndex('fx_260', at('2024-01-05T12:00:00Z')) + 1);
    assert.equal(dayIndex('fx_260', at('2024-01-07T23:00:00Z')), dayIndex('fx_260', at('2024-01-08T12:00:00Z')));
  });

  it('are every UTC day under utc_365', () => {
    assert.equal(dayIndex('utc_365', at('1970-01-03T00:00:00Z')), 2);
    assert.equal(dayIndex('utc_365', at('1970-01-02T23:59:59.999Z')), 1);
  });

  it('can all be made of half days', () => {
    for (let ms = at('2023-01-01'); ms < at('2025-01-01'); ms += 3_577_000) {
      for (const rule of Object.keys(dayRules) as (keyof typeof dayRules)[]) {
        assert.equal(dayOfHalf(rule, halfDayOf(ms)), dayIndex(rule, ms), `${rule} ${new Date(ms).toISOString()}`);
      }
    }
  });

  it('follow the asset types, and several kinds trade every day', () => {
    assert.equal(dayRuleOf(['crypto']), 'utc_365');
    assert.equal(dayRuleOf(['forex', 'commodity']), 'fx_260');
    assert.equal(dayRuleOf(['equity', 'index']), 'weekday_252');
    assert.equal(dayRuleOf(['equity', 'crypto']), 'utc_365');
    assert.equal(dayRuleOf([]), 'utc_365');
  });
});

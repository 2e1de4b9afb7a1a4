import assert from 'node:assert/strict';
import fc from 'fast-check';
import { limits } from '../../src/core/domain/limits';
import { formatTimestamp, parseTimestamp } from '../../src/wire/time';

const instant = 1_700_000_000_123;

function errorOf(value: unknown): string {
  const time = parseTimestamp(value);
  assert.ok('error' in time, `${String(value)} was accepted`);
  return time.error;
}

describe('wire/time', () => {
  const same: readonly (readonly [string, unknown])[] = [
    ['seconds with a fraction', 1_700_000_000.123],
    ['milliseconds', instant],
    ['milliseconds with a fraction, cut', 1_700_000_000_123.999],
    ['microseconds', 1_700_000_000_123_000],
    ['microseconds, cut', 1_700_000_000_123_999],
    ['nanoseconds', 1_700_000_000_123_000_000],
    ['seconds as text', '1700000000.123'],
    ['seconds as text, cut', '1700000000.1239999'],
    ['milliseconds as text', '1700000000123'],
    ['microseconds as text', '1700000000123456'],
    ['nanoseconds as text, cut exactly', '1700000000123999999'],
    ['ISO 8601 with Z', '2023-11-14T22:13:20.123Z'],
    ['ISO 8601 with microseconds', '2023-11-14T22:13:20.123456+00:00'],
    ['ISO 8601 with an offset', '2023-11-15T03:43:20.123+05:30'],
    ['ISO 8601 with a short offset', '2023-11-14T20:13:20.123-02'],
    ['ISO 8601 without an offset, read as UTC', '2023-11-14T22:13:20.123'],
    ['ISO 8601 with a space and a comma', '2023-11-14 22:13:20,123'],
  ];
  for (const [name, value] of same) {
    it(`${name} is the same instant`, () => assert.deepEqual(parseTimestamp(value), { ms: instant }));
  }

  it('a date alone is its midnight UTC', () => {
    assert.deepEqual(parseTimestamp('2024-02-29'), { ms: Date.UTC(2024, 1, 29) });
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['0', 0, /not 0/],
    ['a negative number', -1_700_000_000, /not -1700000000/],
    ['NaN', Number.NaN, /1970-01-02/],
    ['Infinity', Number.POSITIVE_INFINITY, /1970-01-02/],
    ['null', null, /a number or ISO 8601/],
    ['true', true, /a number or ISO 8601/],
    ['an object', {}, /a number or ISO 8601/],
    ['empty text', '', /ISO 8601/],
    ['white space', ' ', /ISO 8601/],
    ['words', 'yesterday', /ISO 8601/],
    ['hexadecimal', '0x10', /ISO 8601/],
    ['1970-01-01 in seconds', 1_000, /in seconds, which is 1970-01-01T00:16:40/],
    ['1972 in milliseconds', 63_072_000_000, /in seconds.*as milliseconds it would be 1972-01-01/],
    ['2101 in milliseconds', Date.UTC(2101, 0, 1), /in milliseconds, which is 2101-01-01/],
    ['2101 in seconds', Date.UTC(2101, 0, 1) / 1_000, /in seconds, which is 2101-01-01/],
    [
      '1971 in microseconds, too small for them',
      31_536_000_000_000,
      /in milliseconds.*as microseconds it would be 1971/,
    ],
    ['picoseconds', 1.7e21, /nanoseconds/],
    ['1969', '1969-12-31T23:59:59Z', /not 1969-12-31/],
    ['2101 as text', '2101-01-01T00:00:00Z', /not 2101-01-01/],
    ['the year 85', '0085-01-01', /not 0085/],
    ['a day that does not exist', '2023-02-29', /no instant of the calendar/],
    ['month 13', '2023-13-01', /no instant of the calendar/],
    ['hour 24', '2023-01-01T24:00', /no instant of the calendar/],
    ['offset 19', '2023-01-01T00:00+19:00', /no instant of the calendar/],
    ['overlong text', '1'.repeat(100), /ISO 8601/],
  ];
  for (const [name, value, message] of refused) {
    it(`${name} is rejected in words`, () => assert.match(errorOf(value), message));
  }

  it('1985 is accepted in every unit', () => {
    const ms = Date.UTC(1985, 5, 1);
    for (const value of [ms / 1_000, ms, ms * 1_000, ms * 1e6, '1985-06-01']) {
      assert.deepEqual(parseTimestamp(value), { ms }, String(value));
    }
  });

  it('the ends of the range are in it, one millisecond past them is not', () => {
    assert.deepEqual(parseTimestamp('1970-01-02'), { ms: limits.eventTimeMinMs });
    assert.deepEqual(parseTimestamp('2100-01-01'), { ms: limits.eventTimeMaxMs });
    errorOf('1970-01-01T23:59:59.999Z');
    errorOf('2100-01-01T00:00:00.001Z');
  });

  it('milliseconds, their seconds, microseconds and nanoseconds are one instant, as numbers and as text', () => {
    const ms = fc.integer({ min: 631_152_000_000, max: limits.eventTimeMaxMs });
    fc.assert(
      fc.property(ms, (at) => {
        const seconds = `${Math.floor(at / 1_000)}.${String(at % 1_000).padStart(3, '0')}`;
        for (const value of [
          at,
          at / 1_000,
          at * 1_000,
          at * 1e6,
          seconds,
          `${at}000`,
          `${at}000000`,
          formatTimestamp(at),
        ]) {
          const time = parseTimestamp(value);
          if (!('ms' in time) || time.ms !== at) throw new Error(`${value} → ${JSON.stringify(time)}, not ${at}`);
        }
      }),
      { seed: 7, numRuns: 3_000 },
    );
  });

  const instants = fc.oneof(
    fc.integer({ min: 0, max: Date.UTC(10_000, 0) - 1 }),
    fc.integer({ min: instant, max: instant + 3 * 86_400_000 }),
  );

  it('is written as the calendar has it, whatever was written before', () => {
    fc.assert(
      fc.property(fc.array(instants, { minLength: 1, maxLength: 5 }), (list) => {
        for (const ms of list) assert.equal(formatTimestamp(ms), new Date(ms).toISOString());
      }),
      { seed: 7 },
    );
    for (const ms of [-1, 0.5, Date.UTC(10_000, 0), 8.64e15, -62_198_755_200_000])
      assert.equal(formatTimestamp(ms), new Date(ms).toISOString());
    assert.throws(() => formatTimestamp(Number.NaN), RangeError);
  });

  it('means the same with any character changed, read beside its own day or another', () => {
    const characters = fc.constantFrom(...'0123456789:.-+TZ z/;');
    fc.assert(
      fc.property(instants, fc.integer({ min: -1, max: 24 }), characters, (ms, at, character) => {
        const text = formatTimestamp(ms);
        const changed = at < 0 ? text : text.slice(0, at) + character + text.slice(at + 1);
        const beside = parseTimestamp(changed);
        formatTimestamp((ms + 10 * 86_400_000) % Date.UTC(9_999, 0));
        assert.deepEqual(parseTimestamp(changed), beside, changed);
        if (at < 0 && ms >= limits.eventTimeMinMs && ms <= limits.eventTimeMaxMs) assert.deepEqual(beside, { ms });
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });
});

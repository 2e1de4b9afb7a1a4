import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type TapeFs, tapeFs } from '../../../src/adapters/files/fs-port';
import { openTape, type TapeOptions } from '../../../src/adapters/files/tape';
import { encodeSegmentHeader, segmentFile } from '../../../src/adapters/files/tape-segment';
import { systemClock } from '../../../src/adapters/system/clock';
import { limits } from '../../../src/core/domain/limits';
import type { BarInput, MarketBatch, MarketItem, PartialBar, Tick } from '../../../src/core/domain/tick';
import type { TapeRecord } from '../../../src/live/ports';
import { batchOf, contents, positions, recordOf, tapeContract, tickOf } from '../../contract/tape.contract';
import { createManualClock } from '../../helpers/manual-clock';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

const logger = recordingLogger();
const openAt = (dir: string, more: Partial<TapeOptions> = {}) =>
  openTape({ dir, clock: systemClock, logger, segmentBytes: 1_000, ...more });

tapeContract('files', () => {
  const directory = temporaryDirectory('tape');
  const open = () => openAt(directory.path, { totalBytes: 8_000 });
  return { tape: open(), reopen: open, dispose: async () => directory.remove() };
});

/** Without waiting for the disk: for tests that open a tape hundreds of times. */
const unsynced: TapeFs = { ...tapeFs, fdatasync: (_, done) => done(null) };

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', '', 'BTCUSDT', '\ud800'),
);
const time = fc.integer({ min: limits.eventTimeMinMs, max: limits.eventTimeMaxMs });
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const sized = fc.option(number, { nil: null });
const assetType = fc.constantFrom(null, 'crypto', 'forex', 'commodity', 'index', 'equity');
const news = fc.record({
  id: text,
  kind: fc.constantFrom('earnings', 'policy', 'news'),
  surprise: sized,
  unit: fc.constantFrom(null, 'sigma', 'raw'),
  actual: sized,
  expected: sized,
});
const extras = fc.record(
  { id: text, seq: fc.maxSafeNat(), fundingRate: number, fundingIntervalH: number, sentiment: number, event: news },
  { requiredKeys: [] },
);
const quote = fc.record({ bid: number, ask: number, bidSize: sized, askSize: sized });
// Typed by the domain, so that a field added there is missing here until the tape keeps it.
const tick: fc.Arbitrary<Tick> = fc.record<Tick>({
  kind: fc.constant('tick'),
  symbol: text,
  source: text,
  timestampMs: time,
  stamped: fc.boolean(),
  price: number,
  volume: number,
  quote: fc.option(quote, { nil: null }),
  assetType,
  extras: fc.option(extras, { nil: null }),
});
const prices = { open: number, high: number, low: number, close: number, volume: number };
const bar: fc.Arbitrary<BarInput> = fc.record<BarInput>({
  kind: fc.constant('bar'),
  symbol: text,
  source: text,
  timestampMs: time,
  timeframe: text,
  ...prices,
  isClosed: fc.boolean(),
  assetType,
  id: fc.option(text, { nil: null }),
});
const partial: fc.Arbitrary<PartialBar> = fc.record<PartialBar>({
  kind: fc.constant('partial'),
  symbol: text,
  source: text,
  firstMs: time,
  timestampMs: time,
  ...prices,
  count: fc.nat(),
  assetType,
});
const numbers = fc.array(fc.record({ source: text, symbol: text, seq: fc.maxSafeNat(), timestampMs: time }), {
  maxLength: 5,
});
const unnumbered: fc.Arbitrary<MarketBatch> = fc.record<MarketBatch>({
  items: fc.array<MarketItem>(fc.oneof(tick, bar, partial), { maxLength: 20 }),
  arrivalMs: time,
  evaluatedMs: time,
  door: fc.constantFrom('live', 'ordered'),
  position: fc.option(
    fc.oneof(
      fc.record({ feed: text, row: fc.maxSafeNat() }),
      fc.record({ feed: text, entry: fc.constant('1767225600000-7') }),
    ),
    { nil: null },
  ),
});
const batch = fc.oneof(
  unnumbered,
  fc.tuple(unnumbered, numbers).map(([one, told]): MarketBatch => ({ ...one, numbers: told })),
);
const record: fc.Arbitrary<TapeRecord> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('batch' as const), batch }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('log' as const), logSeq: fc.maxSafeNat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      timestampMs: time,
      scope: fc.constantFrom('all' as const, 'live' as const),
    }),
  },
);

/** As JSON would not show it: -0, and keys that are absent. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v) => (Object.is(v, -0) ? 'minus zero' : v)));

describe('file tape', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let dir: string;

  beforeEach(() => {
    directory = temporaryDirectory('tape');
    dir = directory.path;
  });

  afterEach(() => directory.remove());

  const segments = () =>
    readdirSync(dir)
      .sort()
      .map((file) => join(dir, file));

  /** A closed tape of the first `count` records. */
  async function written(count: number, more: Partial<TapeOptions> = {}) {
    const tape = openAt(dir, more);
    for (let i = 1; i <= count; i++) tape.append(recordOf(i));
    const all = contents(tape);
    await tape.close();
    return all;
  }

  it('every field of every item comes back exactly, across segments and restarts (property, seed 20260101)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
        const own = temporaryDirectory('roundtrip');
        const tape = openAt(own.path, { fs: unsynced });
        for (const entry of records) assert.notEqual(tape.append(entry), null);
        const here = contents(tape).map((entry) => entry.record);
        await tape.close();
        const again = openAt(own.path, { fs: unsynced });
        const there = contents(again).map((entry) => entry.record);
        await again.close();
        own.remove();
        assert.deepEqual(plain(here), plain(records));
        assert.deepEqual(there, here);
      }),
      { seed: 20_260_101, numRuns: 150 },
    );
  });

  it('a plain tick costs 28 bytes, and a batch 48 beside them', () => {
    const tape = openAt(dir, { segmentBytes: 1e6 });
    const items = Array.from({ length: 1_000 }, (_, i) => tickOf('BTCUSDT', 1_767_225_600_000 + i, i));
    tape.append(batchOf(...items));
    const before = tape.health().bytes;
    tape.append(batchOf(...items));
    assert.equal(tape.health().bytes - before, 28 * 1_000 + 48);
  });

  it('a tail torn at any length is cut to the last whole record and reported, and no position repeats', async () => {
    const all = await written(9, { segmentBytes: 1e6 });
    const [file = ''] = segments();
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(join(dir, segmentFile(1)), whole.subarray(0, length));
      for (const other of segments()) if (other !== file) truncateSync(other, 0);
      const tape = openAt(dir, { segmentBytes: 1e6, fs: unsynced });
      const left = contents(tape);
      assert.deepEqual(left, all.slice(0, left.length), `cut at ${length}`);
      const { tornBytes, health } = tape.health();
      const kept = readdirSync(dir).includes(segmentFile(1)) ? readFileSync(file).length : 0;
      assert.ok(tornBytes >= length - kept && health === 'up', `cut at ${length}`);
      const next = tape.append(recordOf(10));
      // A cut between two records cannot be told from a kill before the second; only a torn one may have had a position.
      assert.ok(
        next !== null && (next > 9 || (tornBytes === 0 && next === left.length + 1)),
        `${next} after ${length}`,
      );
      assert.deepEqual(contents(tape), [...left, { position: next, record: recordOf(10) }]);
      await tape.close();
      for (const other of segments()) if (other !== file) await removeFile(other);
    }
  });

  it('after a restart of the machine without an orderly close no position repeats, however much was lost', async () => {
    const all = await written(9, { segmentBytes: 1e6 });
    const [file = ''] = segments();
    const whole = readFileSync(file);
    const header = encodeSegmentHeader({ first: 1, previousLast: 0, createdMs: 0, boot: 'an earlier start' });
    const mark = 48;
    writeFileSync(file, Buffer.concat([header, whole.subarray(header.length, whole.length - mark)]));
    const tape = openAt(dir);
    assert.deepEqual(contents(tape), all);
    assert.equal(tape.append(recordOf(10)), 10 + limits.tapeJump);
    assert.deepEqual(positions(tape), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10 + limits.tapeJump]);
    assert.deepEqual([tape.health().health, tape.health().records], ['up', 10]);
    await tape.close();
    const again = openAt(dir);
    assert.equal(again.append(recordOf(11)), 11 + limits.tapeJump);
    await again.close();
    await removeFile(segments()[1] ?? '');
    writeFileSync(file, Buffer.concat([header, whole.subarray(header.length)]));
    const orderly = openAt(dir);
    assert.equal(orderly.append(recordOf(10)), 10);
    await orderly.close();
  });

  it('with any byte of it changed, a tape yields whole records from its beginning and never a wrong one', async () => {
    const all = await written(7, { segmentBytes: 1e6 });
    const [file = ''] = segments();
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, damaged);
      const tape = openAt(dir, { segmentBytes: 1e6, fs: unsynced });
      const left = contents(tape);
      assert.deepEqual(left, all.slice(0, left.length), `byte ${at}`);
      assert.ok(tape.health().tornBytes > 0, `byte ${at} was noticed`);
      await tape.close();
      for (const other of segments()) if (other !== file) await removeFile(other);
    }
  });

  it('damage in an older segment ends the reading of that segment only, and shows in health and positions', async () => {
    const all = await written(60);
    const files = segments();
    assert.ok(files.length >= 4);
    const [damaged = ''] = files.slice(1);
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
    writeFileSync(damaged, bytes);
    const tape = openAt(dir);
    assert.equal(tape.health().health, 'up');
    const left = contents(tape);
    const lost = all.filter((entry) => !left.some((other) => other.position === entry.position));
    assert.ok(lost.length > 0 && lost.length < 20);
    assert.deepEqual(
      left,
      all.filter((entry) => !lost.includes(entry)),
    );
    assert.deepEqual(positions(tape), positions(tape));
    const { health, message } = tape.health();
    assert.deepEqual([health, message], ['degraded', `${lost.length} records are damaged and cannot be read`]);
    await tape.close();
  });

  it('an older segment whose header is damaged, or that is gone, is left out whole', async () => {
    const all = await written(60);
    const [, second = '', third = '', fourth = ''] = segments();
    const bytes = readFileSync(second);
    bytes[9] = (bytes[9] ?? 0) ^ 1;
    writeFileSync(second, bytes);
    const tape = openAt(dir);
    const firstOf = (file: string): number => Number(file.slice(-21, -5));
    const expected = all.filter((entry) => entry.position < firstOf(second) || entry.position >= firstOf(third));
    assert.deepEqual(contents(tape), expected);
    await removeFile(third);
    assert.deepEqual(
      contents(tape),
      expected.filter((entry) => entry.position < firstOf(third) || entry.position >= firstOf(fourth)),
    );
    assert.equal(tape.health().health, 'degraded');
    await tape.close();
  });

  it('killed without closing, the tape goes on at the next position of the same file', async () => {
    const first = openAt(dir, { segmentBytes: 1e6 });
    for (let i = 1; i <= 5; i++) first.append(recordOf(i));
    const second = openAt(dir, { segmentBytes: 1e6 });
    assert.deepEqual([second.lastPosition(), second.health().tornBytes], [5, 0]);
    const next = second.append(recordOf(6));
    // Where the start of the machine cannot be told from others, positions are skipped to be safe.
    assert.ok(process.platform === 'linux' ? next === 6 : next !== null && next > 5);
    await Promise.all([first.close(), second.close()]);
  });

  it('old segments are dropped by size and by age, and counted out', async () => {
    const clock = createManualClock();
    const tape = openAt(dir, { clock, totalBytes: 4_000, ageMs: 1_000 });
    for (let i = 1; i <= 60; i++) tape.append(recordOf(i));
    const before = segments().length;
    assert.ok(tape.health().bytes > 4_000);
    tape.trim(60, clock.nowMs());
    assert.ok(tape.health().bytes <= 4_000);
    await waitFor(() => segments().length < before);
    tape.trim(60, clock.nowMs() + 1_001);
    await waitFor(() => segments().length === 1);
    const left = positions(tape);
    assert.equal(tape.health().records, left.length);
    assert.equal(left[left.length - 1], 60);
    const closing = tape.close();
    clock.advance(limits.closeMs);
    await closing;
  });

  it('many series start a new segment rather than an endless table', async () => {
    const tape = openAt(dir, { segmentBytes: 1e9 });
    const items = Array.from({ length: limits.tapeSeries + 1 }, (_, i) => tickOf(`S${i}`, 1_767_225_600_000, 1));
    assert.equal(tape.append(batchOf(...items)), 1);
    assert.equal(tape.append(recordOf(2)), 2, tape.health().message);
    assert.equal(tape.append(recordOf(3)), 3);
    assert.equal(segments().length, 2);
    assert.deepEqual(positions(tape), [1, 2, 3]);
    await tape.close();
  });

  it('a record longer than one may be is shed, and the next one is written', async () => {
    const tape = openAt(dir);
    const items = new Array<MarketItem>(600_000).fill(tickOf('A', 1_767_225_600_000, 1));
    const batch = { items, arrivalMs: 1, evaluatedMs: 2, door: 'live' as const, position: null };
    assert.equal(tape.append({ kind: 'batch', batch }), null);
    assert.equal(tape.append(recordOf(1)), 1);
    const { health, shed } = tape.health();
    assert.deepEqual([health, shed], ['up', 1]);
    await tape.close();
  });

  it('a directory that cannot be one is refused by name', () => {
    assert.throws(() => openAt('/dev/null/tape'), { code: 'ConnectionError', message: /\/dev\/null\/tape/ });
  });
});

async function removeFile(path: string): Promise<void> {
  const { rm } = await import('node:fs/promises');
  await rm(path);
}

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'it happens within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import assert from 'node:assert/strict';
import type { MarketItem, Tick } from '../../src/core/domain/tick';
import type { Tape, TapeRecord } from '../../src/live/ports';

/** A tape under test, and what can be done to it from outside. */
export interface TapeUnderTest {
  readonly tape: Tape;
  /** Opens the same place again after `close`; absent where nothing outlives the process. */
  reopen?(): Tape;
  dispose(): Promise<void>;
}

/** Opens an empty tape; where it has segments they are small, so that a few dozen records fill several. */
export type OpenTape = () => TapeUnderTest;

export function tickOf(symbol: string, timestampMs: number, price: number): Tick {
  return {
    kind: 'tick',
    symbol,
    source: 'test',
    timestampMs,
    stamped: true,
    price,
    volume: 1,
    quote: null,
    assetType: null,
    extras: null,
  };
}

export const batchOf = (...items: MarketItem[]): TapeRecord => ({
  kind: 'batch',
  batch: { items, arrivalMs: 1_767_225_600_001, evaluatedMs: 1_767_225_600_002, door: 'live', position: null },
});

/** Record number `i` of a varied sequence. */
export function recordOf(i: number): TapeRecord {
  if (i % 5 === 3) return { kind: 'log', logSeq: i };
  if (i % 5 === 4) return { kind: 'advance', timestampMs: 1_767_225_600_000 + i, scope: i % 2 === 0 ? 'all' : 'live' };
  return batchOf(tickOf(`SYM${i % 7}`, 1_767_225_600_000 + i, 100 + i), tickOf('BTCUSDT', 1_767_225_600_000 + i, i));
}

export const contents = (tape: Tape, after = 0) => [...tape.read(after)];
export const positions = (tape: Tape, after = 0): number[] => contents(tape, after).map((entry) => entry.position);

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** What every tape does, whatever it is made of. */
export function tapeContract(name: string, open: OpenTape): void {
  describe(`tape contract: ${name}`, () => {
    let store: TapeUnderTest;
    let tape: Tape;

    beforeEach(() => {
      store = open();
      tape = store.tape;
    });

    afterEach(async () => {
      await tape.close();
      await store.dispose();
    });

    it('an empty tape is healthy, reads nothing and stands at position 0', () => {
      assert.deepEqual(contents(tape), []);
      assert.equal(tape.lastPosition(), 0);
      const { health, records, shed, tornBytes } = tape.health();
      assert.deepEqual({ health, records, shed, tornBytes }, { health: 'up', records: 0, shed: 0, tornBytes: 0 });
    });

    it('positions count from 1, and what is read is what was appended, in order', () => {
      const records = range(1, 60).map(recordOf);
      assert.deepEqual(
        records.map((record) => tape.append(record)),
        range(1, 60),
      );
      assert.deepEqual(
        contents(tape),
        records.map((record, i) => ({ position: i + 1, record })),
      );
      assert.equal(tape.lastPosition(), 60);
      assert.equal(tape.health().records, 60);
    });

    it('reading goes on behind any position', () => {
      for (const i of range(1, 40)) tape.append(recordOf(i));
      for (const after of range(0, 41)) assert.deepEqual(positions(tape, after), range(after + 1, 40));
    });

    it('reading may be given up in the middle and started again', () => {
      for (const i of range(1, 20)) tape.append(recordOf(i));
      for (const { position } of tape.read(0)) if (position === 5) break;
      assert.deepEqual(positions(tape), range(1, 20));
    });

    it('a batch without items keeps its times and its place in the feed', () => {
      const record: TapeRecord = {
        kind: 'batch',
        batch: { items: [], arrivalMs: 5, evaluatedMs: 6, door: 'ordered', position: { feed: 'f', row: 3 } },
      };
      tape.append(record);
      assert.deepEqual(contents(tape), [{ position: 1, record }]);
    });

    it('appending while reading neither disturbs the reader nor loses the record', () => {
      for (const i of range(1, 10)) tape.append(recordOf(i));
      const seen: number[] = [];
      for (const { position } of tape.read(0)) {
        seen.push(position);
        if (seen.length <= 10) tape.append(recordOf(position + 10));
        if (position === 20) break;
      }
      assert.deepEqual(seen.slice(0, 10), range(1, 10));
      assert.deepEqual(positions(tape), range(1, 20));
    });

    it('says that what was appended is safe, also when asked again and by several at once, and not when closed', async () => {
      assert.equal(await tape.synced(), true);
      for (const i of range(1, 60)) tape.append(recordOf(i));
      assert.deepEqual(await Promise.all([tape.synced(), tape.synced()]), [true, true]);
      assert.equal(await tape.synced(), true);
      await tape.close();
      assert.equal(await tape.synced(), false);
    });

    it('trimming never drops a position above what must be kept', () => {
      for (const i of range(1, 100)) tape.append(recordOf(i));
      tape.trim(50, Number.MAX_SAFE_INTEGER);
      const left = positions(tape);
      assert.deepEqual(left, range(left[0] ?? 0, 100));
      assert.ok((left[0] ?? 0) <= 51);
      assert.deepEqual(positions(tape, 50), range(51, 100));
      assert.equal(tape.append(recordOf(101)), 101);
    });

    it('a closed tape takes nothing, counts it, and says so', async () => {
      tape.append(recordOf(1));
      await tape.close();
      await tape.close();
      assert.equal(tape.append(recordOf(2)), null);
      const { health, shed } = tape.health();
      assert.deepEqual({ health, shed }, { health: 'down', shed: 1 });
    });

    it('records and positions go on after closing and opening again, where that is promised', async () => {
      for (const i of range(1, 30)) tape.append(recordOf(i));
      const before = contents(tape);
      await tape.close();
      if (!store.reopen) {
        assert.equal(tape.lastPosition(), 30);
        return;
      }
      for (const next of range(31, 35)) {
        tape = store.reopen();
        assert.equal(tape.lastPosition(), next - 1);
        assert.equal(tape.health().tornBytes, 0);
        assert.equal(tape.append(recordOf(next)), next);
        await tape.close();
      }
      tape = store.reopen();
      assert.deepEqual(contents(tape).slice(0, 30), before);
      assert.deepEqual(positions(tape), range(1, 35));
      assert.equal(tape.health().records, 35);
    });
  });
}

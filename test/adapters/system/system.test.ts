import assert from 'node:assert/strict';
import { systemClock } from '../../../src/adapters/system/clock';
import { createConsoleLogger, type LogLevel } from '../../../src/adapters/system/console-logger';
import { createLoopLag } from '../../../src/adapters/system/loop-lag';
import { limits } from '../../../src/core/domain/limits';
import { createManualClock } from '../../helpers/manual-clock';

function logged(format: 'json' | 'text', level: LogLevel = 'debug') {
  const lines: string[] = [];
  const clock = createManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  return { lines, logger: createConsoleLogger({ format, level, clock, write: (line) => lines.push(line) }) };
}

describe('the lag of the event loop', () => {
  const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('is what held it since it was asked last', async () => {
    const lag = createLoopLag();
    await turns(60);
    const endAt = performance.now() + 200;
    while (performance.now() < endAt);
    await turns(60);
    const { p99Ms, maxMs } = lag.take();
    assert.ok(maxMs >= 150 && maxMs < 5_000, `${maxMs} ms`);
    assert.ok(p99Ms <= maxMs);
    const { maxMs: again } = lag.take();
    assert.equal(again, 0);
    lag.close();
  });
});

describe('system clock', () => {
  it('tells the calendar and a time that does not go back', () => {
    assert.ok(Math.abs(systemClock.nowMs() - Date.now()) < 1_000);
    const before = systemClock.monotonicMs();
    assert.ok(systemClock.monotonicMs() >= before);
  });

  it('calls back once, not when cancelled, and takes delays longer than a timer can', async () => {
    const called: string[] = [];
    systemClock.after(1, () => called.push('cancelled'))();
    const cancel = systemClock.after(1e12, () => called.push('far'));
    const alive = setTimeout(() => {}, 5_000);
    await new Promise<void>((resolve) => systemClock.after(2, resolve));
    clearTimeout(alive);
    cancel();
    assert.deepEqual(called, []);
  });
});

describe('console logger', () => {
  it('writes one JSON object a line, and its own fields win', () => {
    const { lines, logger } = logged('json');
    logger.warn('the disk is full', { bytes: 7, level: 'forged' });
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ timestamp: '2026-01-02T03:04:05.006Z', level: 'warn', message: 'the disk is full', bytes: 7 }],
    );
  });

  it('writes readable lines', () => {
    const { lines, logger } = logged('text');
    logger.info('opened', { path: '/data', records: 3 });
    assert.deepEqual(lines, ['2026-01-02T03:04:05.006Z INFO  opened path="/data" records=3']);
  });

  it('writes only from its level on', () => {
    const { lines, logger } = logged('text', 'warn');
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    assert.equal(lines.length, 2);
  });

  it('secrets never reach a line, wherever they stand', () => {
    const planted = 'hunter2';
    const error = new Error(`connect redis://user:${planted}@host:6379 failed`, {
      cause: new Error(`//:${planted}@host`),
    });
    for (const format of ['json', 'text'] as const) {
      const { lines, logger } = logged(format);
      logger.error(`redis://:${planted}@host and rediss://u:${planted}@p@host/0`, {
        url: `redis://user:${planted}@host`,
        apiToken: planted,
        API_TOKEN: planted,
        nested: [{ password: planted, deeper: { client_secret: { value: planted } } }],
        map: new Map([['token', planted]]),
        error,
      });
      assert.equal(lines.length, 1);
      assert.ok(!lines[0]?.includes(planted), lines[0]);
      assert.match(lines[0] ?? '', /redis:\/\/\[redacted\]@host/);
    }
  });

  it('no text can start a second line', () => {
    const { lines, logger } = logged('text');
    logger.info('a\r\nforged\u2028line', { symbol: 'B\nC\u0000', 'key\n2': 1 });
    assert.equal(lines.length, 1);
    for (const forbidden of ['\r', '\n', '\u2028', '\u0000']) assert.ok(!lines[0]?.includes(forbidden));
  });

  it('cycles, depth, size and odd values are bounded and never throw', () => {
    const { lines, logger } = logged('json');
    const cycle: Record<string, unknown> = { big: 10n, nan: Number.NaN, none: undefined, bytes: new Uint8Array(9) };
    cycle.self = cycle;
    const hostile = {
      get boom() {
        throw new Error('boom');
      },
    };
    logger.info('x'.repeat(1e6), { cycle, list: new Array(1e5).fill('y'), ['__proto__']: 1 });
    logger.info('hostile', { hostile });
    assert.ok((lines[0]?.length ?? 0) < 10 * limits.logValueChars);
    const first = JSON.parse(lines[0] ?? '');
    assert.deepEqual([first.cycle.big, first.cycle.nan, first.cycle.bytes], ['10', 'NaN', '[9 bytes]']);
  });
});

import assert from 'node:assert/strict';
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { limits } from '../../../src/core/domain/limits';
import { errorResponse } from '../../../src/wire/schemas/responses';
import { call, rawBody, rawCall, type Started, startApi } from '../../helpers/http-client';
import { until } from '../../helpers/until';

const process = '/api/strategy_engine/process_market_data';
const tick = '{"symbol":"BTCUSD","price":50000}';

describe('adapters/http under attack', () => {
  let started: Started;
  let port: number;
  before(async () => {
    started = await startApi({ bodyLimitBytes: limits.bodyBytesMax });
    port = started.api.port;
  });
  after(() => started.api.close());

  /** p99 of the loop's delay while something is done. */
  async function lagOf(act: () => Promise<unknown>): Promise<number> {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await act();
    delay.disable();
    return delay.percentile(99) / 1e6;
  }

  /**
   * Whether the loop stayed free and memory flat: a lag of at most 100 ms beside what an idle loop suffers on a machine
   * that others use as well, and at most 100 MB more (client and server share this process).
   */
  async function undisturbed(act: () => Promise<unknown>): Promise<void> {
    const idleMs = await lagOf(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const before = globalThis.process.memoryUsage.rss();
    const lagMs = await lagOf(act);
    const grownMb = (globalThis.process.memoryUsage.rss() - before) / 1_048_576;
    assert.ok(grownMb < 100, `grown by ${grownMb} MB`);
    assert.ok(lagMs < 100 + 2 * idleMs, `lag ${lagMs} ms, ${idleMs} ms when idle`);
  }

  it('a million brackets are 400, and nothing is left of them', async () => {
    await undisturbed(async () => {
      for (let i = 0; i < 10; i++) {
        const answer = await call(port, process, { body: '['.repeat(1_000_000) });
        assert.deepEqual([answer.status, answer.body.error_type], [400, 'JSONDecodeError']);
      }
    });
  });

  it('a batch of 5 MB of bad ticks is 413 by its count', async () => {
    const item = '{"symbol":"A B","price":-5,"volume":"x","x":12345}';
    const body = `[${Array(95_000).fill(item).join(',')}]`;
    assert.ok(body.length > 4_700_000 && body.length < limits.bodyBytesMax);
    await undisturbed(async () => {
      for (let i = 0; i < 3; i++) {
        const answer = await call(port, process, { body });
        assert.deepEqual([answer.status, answer.body.error_type], [413, 'PayloadTooLargeError']);
        assert.ok(answer.text.length < 1_000);
      }
    });
  });

  it('10,000 bad ticks are 422 with 20 details', async () => {
    const body = `[${Array(limits.ticksPerRequest).fill('{"symbol":"A B","price":-5}').join(',')}]`;
    const answer = await call(port, process, { body });
    assert.deepEqual([answer.status, errorResponse.parse(answer.body).details.length], [422, limits.errorDetails]);
  });

  const malformed: readonly (readonly [string, string, number])[] = [
    ['a request line of rubbish', 'RUBBISH\r\n\r\n', 400],
    ['binary', '\u0000\u0001\u0002\r\n\r\n', 400],
    ['TLS on the plain port', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400],
    ['a bad header', 'GET /api/health HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400],
    ['two lengths', 'POST /api/health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx', 400],
    [
      'length and chunks',
      `POST ${process} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'a chunk size of rubbish',
      `POST ${process} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ['no Host', 'GET /api/health HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n', 400],
    ['headers of 20 kB', `GET /api/health HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address of 20 kB', `GET /api/health?${'y'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
  ];
  for (const [name, bytes, status] of malformed) {
    it(`${name} is ${status} in the contract's JSON`, async () => {
      const text = await rawCall(port, bytes);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(text, /content-type: application\/json/i);
      const body = errorResponse.parse(rawBody(text));
      assert.equal(body.error_type, 'BadRequestError');
      assert.doesNotMatch(text, /<html|node:internal|\.js:/i);
    });
  }

  it('an Expect that nobody knows is answered as if it were not there', async () => {
    const text = await rawCall(
      port,
      'GET /api/health HTTP/1.1\r\nhost: localhost\r\nexpect: tea\r\nconnection: close\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 200 /);
  });

  it('HTTP/1.0 is served', async () => {
    assert.match(await rawCall(port, 'GET /api/health HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('a client that leaves in the middle of its body disturbs nobody', async () => {
    const before = started.engine.statuses.filter((status) => status >= 500).length;
    await new Promise<void>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(
          `POST ${process} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"sym`,
          () => socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    assert.equal((await call(port, process, { body: tick })).status, 200);
    assert.equal(started.engine.statuses.filter((status) => status >= 500).length, before);
  });

  it('slow headers, a slow body and silence end in 408 within 5 s, beside a thousand idle sockets and steady service', async function () {
    this.timeout(15_000);
    const idle: net.Socket[] = [];
    const head = `POST ${process} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`;
    await undisturbed(async () => {
      for (let i = 0; i < 1_000; i++) {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.resume();
        idle.push(socket);
      }
      await until('the sockets are open', () => idle.every(({ connecting }) => !connecting));
      const begun = performance.now();
      const slow = ['GET /api/health HTTP/1.1\r\nhost: localh', `${head}{"`, ''].map(async (bytes) => {
        const text = await rawCall(port, bytes);
        assert.match(text, /^HTTP\/1\.1 408 /, JSON.stringify(bytes));
        assert.equal(errorResponse.parse(rawBody(text)).error_type, 'BadRequestError');
        assert.ok(performance.now() - begun < limits.requestMs, `after ${performance.now() - begun} ms`);
      });
      let isDone = false;
      const all = Promise.all(slow).finally(() => {
        isDone = true;
      });
      let served = 0;
      while (!isDone) {
        const answer = await call(port, process, { body: tick });
        assert.equal(answer.status, 200);
        served++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await all;
      assert.ok(served > 20, `${served} served meanwhile`);
    });
    for (const socket of idle) socket.destroy();
  });
});

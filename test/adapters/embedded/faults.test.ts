import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { openEmbeddedStore } from '../../../src/adapters/embedded/store';
import { openTape } from '../../../src/adapters/files/tape';
import { systemClock } from '../../../src/adapters/system/clock';
import { executionEvent } from '../../contract/event-log.contract';
import { recordOf } from '../../contract/tape.contract';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

const kills = 10;
const script = resolve(__dirname, '../../helpers/store-appender.ts');
const openAt = (path: string) => openEmbeddedStore({ path, clock: systemClock, logger: recordingLogger() });

/** Runs the appender, hands over its lines, and answers how it ended. */
async function runAppender(args: readonly string[], onLine: (line: string, kill: () => void) => void, shell?: string) {
  const node = [process.execPath, '-r', 'tsx/cjs', script, ...args];
  const [command, ...rest] = shell ? ['bash', '-c', `${shell}; exec "$@"`, 'bash', ...node] : node;
  const child = spawn(command as string, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => onLine(line, () => child.kill('SIGKILL')));
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return { code, signal, errors };
}

describe('embedded store under faults', () => {
  it(`nothing acknowledged is lost or doubled by ${kills} kill -9 of the writing process`, async function () {
    this.timeout(120_000);
    const directory = temporaryDirectory('kill');
    const next = [0, 0, 0, 0, 0, 0, 0, 0];
    let acknowledged = 0;
    let taped = 0;
    for (let kill = 0; kill < kills; kill++) {
      let seen = 0;
      const end = await runAppender([directory.path, 'forever', JSON.stringify(next)], (line, killNow) => {
        const [what, first, second] = line.split(' ');
        if (what === 'taped') taped = Math.max(taped, Number(first));
        if (what !== 'acknowledged') return;
        // A writer that starts again sends what it had no answer to once more.
        next[Number(first)] = Number(second) + 1;
        acknowledged++;
        if (++seen >= 40 + kill * 13) killNow();
      });
      assert.equal(end.signal, 'SIGKILL', end.errors);
    }

    const store = await openAt(directory.path);
    const events = await store.log.read(0, 1_000_000);
    const ids = events.map((event) => event.id);
    assert.equal(new Set(ids).size, ids.length, 'no id is there twice');
    for (const [writer, count] of next.entries())
      for (let i = 0; i < count; i++) assert.ok(ids.includes(`${writer}-${i}`), `${writer}-${i} was acknowledged`);
    assert.ok(acknowledged >= kills * 40);
    assert.deepEqual(
      events.map((event) => event.aggregateVersion),
      events.map((_, i) => i + 1),
    );
    await store.close();

    const tape = openTape({ dir: join(directory.path, 'tape'), clock: systemClock, logger: recordingLogger() });
    const records = [...tape.read(0)];
    assert.ok(taped > kills && records.length >= taped);
    for (const [i, entry] of records.entries()) assert.deepEqual(entry, { position: i + 1, record: recordOf(i + 1) });
    await tape.close();
    directory.remove();
  });

  it('a full disk refuses with ConnectionError, loses nothing acknowledged, and the log goes on when there is room', async function () {
    if (process.platform === 'win32') return assert.equal(process.platform, 'win32');
    this.timeout(60_000);
    const directory = temporaryDirectory('full');
    const told: string[] = [];
    const end = await runAppender([directory.path, 'until-full'], (line) => told.push(line), 'ulimit -f 2000');
    assert.deepEqual([end.code, end.signal], [0, null], end.errors);
    const acknowledged = told.filter((line) => line.startsWith('acknowledged')).length;
    assert.deepEqual(told.slice(acknowledged), ['refused ConnectionError', `readable ${acknowledged}`, 'closed']);
    assert.ok(acknowledged > 10);

    const store = await openAt(directory.path);
    assert.equal(await store.log.lastSeq(), acknowledged);
    const outcomes = await store.log.append([executionEvent(`0-${acknowledged - 1}`), executionEvent('after')]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind),
      ['duplicate', 'applied'],
    );
    await store.close();
    directory.remove();
  });

  it('a damaged event is refused by its number, and the ones before it are still read', async () => {
    const directory = temporaryDirectory('damaged');
    const store = await openAt(directory.path);
    for (const id of ['a', 'b', 'c']) await store.log.append([executionEvent(id)]);
    await store.close();
    await tamper(directory.path, 'log', 2, (bytes) => {
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    });
    const again = await openAt(directory.path);
    assert.equal((await again.log.read(0, 1)).length, 1);
    await assert.rejects(again.log.read(0, 10), { code: 'InternalError', message: /event 2 of the log is damaged/ });
    await assert.rejects(again.log.append([executionEvent('b')]), /event 2 of the log is damaged/);
    assert.equal((await again.log.append([executionEvent('d')]))[0]?.kind, 'applied');
    await again.close();
    directory.remove();
  });

  it('a damaged or missing index of ids is made again from the events', async () => {
    const directory = temporaryDirectory('index');
    const store = await openAt(directory.path);
    const ids = Array.from({ length: 300 }, (_, i) => `id ${i}`);
    for (let i = 0; i < 300; i += 60) await store.log.append(ids.slice(i, i + 60).map((id) => executionEvent(id)));
    await store.close();
    await tamper(directory.path, 'digests', 0, (bytes) => {
      bytes[20] = (bytes[20] ?? 0) ^ 1;
    });
    await tamper(directory.path, 'digests', 1, () => {});
    const again = await openAt(directory.path);
    for (let i = 0; i < 300; i += 60) {
      const outcomes = await again.log.append(ids.slice(i, i + 60).map((id) => executionEvent(id)));
      assert.ok(outcomes.every((outcome) => outcome.kind === 'duplicate' && outcome.sameContent));
    }
    await again.close();
    directory.remove();
  });
});

/** Changes one value of a closed store behind its back; removes it when nothing was changed. */
async function tamper(path: string, name: string, key: number, change: (bytes: Buffer) => void): Promise<void> {
  const root = open<Buffer, number>({
    path: join(path, 'log'),
    noSubdir: false,
    encoding: 'binary',
    overlappingSync: false,
  });
  const db = root.openDB<Buffer, number>({ name, encoding: 'binary' });
  const before = Buffer.from(db.get(key) ?? []);
  const after = Buffer.from(before);
  change(after);
  await (after.equals(before) ? db.remove(key) : db.put(key, after));
  await root.close();
}

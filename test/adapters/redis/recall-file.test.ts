import assert from 'node:assert/strict';
import { appendFileSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { digestOfId, encodeBody, type LogEntry, sealOf } from '../../../src/adapters/redis/log-entry';
import { RecallFile, type RecallOptions } from '../../../src/adapters/redis/recall-file';
import { limits } from '../../../src/core/domain/limits';
import { executionEvent } from '../../contract/event-log.contract';
import { createManualClock } from '../../helpers/manual-clock';
import { recordingLogger, temporaryDirectory } from '../../helpers/temporary';

function entryAt(seq: number): LogEntry {
  const event = executionEvent(`e${seq} – ä`);
  const body = encodeBody(event);
  return { seq, version: seq, seal: sealOf(seq, seq, digestOfId(event.id), body), body };
}
const entries = (first: number, count: number) => Array.from({ length: count }, (_, i) => entryAt(first + i));
const seqsOf = (list: readonly LogEntry[]) => list.map(({ seq }) => seq);

describe('the last entries of a log, kept in a folder', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  const clock = createManualClock();
  const problems: (string | null)[] = [];

  beforeEach(() => {
    directory = temporaryDirectory('recall');
    problems.length = 0;
  });
  afterEach(() => directory.remove());

  const open = (more: Partial<RecallOptions> = {}) =>
    new RecallFile({
      dir: directory.path,
      of: 'the log',
      clock,
      logger: recordingLogger(),
      onProblem: (problem) => void problems.push(problem),
      ...more,
    });
  /** What a life finds that begins now; the one before was killed, so nothing was closed. */
  const found = () => open().take();
  const path = (name: string) => join(directory.path, name);

  it('are found by the next life as they were added, and go on there', () => {
    const first = open();
    assert.deepEqual(first.take(), []);
    first.add(entries(1, 3));
    first.add(entries(4, 1));
    const second = open();
    assert.deepEqual(second.take(), entries(1, 4));
    assert.deepEqual(second.take(), [], 'they are handed over once');
    second.add(entries(5, 2));
    assert.deepEqual(found(), entries(1, 6));
  });

  it('are the last ones at the least, however many were added, in two files of bounded size', () => {
    const recall = open();
    const count = 3 * limits.eventsRecalled + 100;
    for (let at = 1; at <= count; at += 50) recall.add(entries(at, 50));
    assert.deepEqual(readdirSync(directory.path).sort(), ['recall.log', 'recall.old']);
    const lines = (name: string) => readFileSync(path(name), 'utf8').split('\n').length;
    assert.ok(lines('recall.log') + lines('recall.old') < 2 * limits.eventsRecalled + 100);
    const kept = found();
    assert.equal(kept.length, limits.eventsRecalled);
    assert.equal(kept.at(-1)?.seq, count - (count % 50) + 50);
    assert.deepEqual(found(), kept, 'being found changes nothing');
  });

  it('cut anywhere they are whole up to the cut', () => {
    open().add(entries(1, 3));
    const bytes = readFileSync(path('recall.log'));
    const all = entries(1, 3);
    const ends = all.map((_, i) =>
      Buffer.byteLength(
        bytes
          .toString()
          .split('\n')
          .slice(0, i + 2)
          .join('\n'),
      ),
    );
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(path('recall.log'), bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      assert.deepEqual(found(), all.slice(0, whole), `cut at ${length}`);
    }
  });

  it('with any byte changed that one is left out', () => {
    open().add(entries(1, 3));
    const bytes = readFileSync(path('recall.log'));
    const lines = bytes.toString('latin1').split(/(?<=\n)/);
    const lineAt = lines.flatMap((line, i) => Array<number>(line.length).fill(i));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path('recall.log'), flipped);
      const line = lineAt[at] ?? 0;
      // Without the end of a line the next one is no line either.
      const hit = new Set(bytes[at] === 10 ? [line, line + 1] : [line]);
      const whole = hit.has(0) ? [] : [1, 2, 3].filter((seq) => !hit.has(seq));
      assert.deepEqual(seqsOf(found()), whole, `byte ${at}`);
    }
  });

  it('are those that were seen in order: what comes later and belongs between is left out', () => {
    const recall = open();
    recall.add(entries(1, 3));
    recall.add(entries(7, 2));
    recall.add(entries(4, 3));
    assert.deepEqual(found(), [...entries(1, 3), ...entries(7, 2)]);
  });

  it('of another log they are not taken for this one', () => {
    open().add(entries(1, 3));
    assert.deepEqual(open({ of: 'another log' }).take(), []);
    assert.deepEqual(found(), []);
  });

  it('are whole between any two steps of taking the next file', () => {
    const recall = open();
    for (let at = 1; at <= limits.eventsRecalled; at += 64) recall.add(entries(at, 64));
    recall.add(entries(limits.eventsRecalled + 1, 2));
    const last = limits.eventsRecalled + 2;
    appendFileSync(path('recall.new'), 'half of it');
    assert.equal(found().at(-1)?.seq, last);
    open().add(entries(last + 1, 1));
    writeFileSync(path('recall.old'), readFileSync(path('recall.log')));
    assert.equal(found().at(-1)?.seq, last + 1, 'both files there');
    writeFileSync(path('recall.old'), readFileSync(path('recall.log')));
    rmSync(path('recall.log'));
    assert.equal(found().at(-1)?.seq, last + 1, 'only the older one there');
  });

  it('on a disk that fails it is said, once, and again when it takes them', () => {
    let left = Number.POSITIVE_INFINITY;
    const fs = {
      openSync,
      writeSync: (fd: number, bytes: Uint8Array) => {
        const part = bytes.subarray(0, Math.max(0, left));
        left -= part.length;
        return part.length === 0 ? 0 : writeSync(fd, part);
      },
    };
    const recall = open({ fs });
    recall.add(entries(1, 2));
    left = 20;
    recall.add(entries(3, 1));
    recall.add(entries(4, 1));
    clock.advance(limits.tapeRetryMs);
    recall.add(entries(5, 1));
    assert.deepEqual(problems, ['the disk is full']);
    left = Number.POSITIVE_INFINITY;
    clock.advance(limits.tapeRetryMs);
    recall.add(entries(6, 2));
    recall.add(entries(8, 1));
    assert.deepEqual(problems, ['the disk is full', null]);
    assert.deepEqual(found(), [...entries(1, 2), ...entries(6, 3)]);
  });

  it('in a folder that is gone they cost nobody an answer', () => {
    const recall = open();
    recall.close();
    directory.remove();
    const again = open();
    again.add(entries(1, 1));
    assert.equal(problems.length, 1);
    assert.match(String(problems[0]), /ENOENT/);
  });

  it('put aside they are kept beside, and the next ones begin anew', () => {
    const recall = open();
    recall.add(entries(1, 3));
    const file = recall.setAside(entries(2, 2));
    assert.equal(readFileSync(String(file), 'utf8').split('\n').length, 3);
    recall.add(entries(1, 1));
    assert.deepEqual(found(), entries(1, 1));
  });

  it('put aside twice at the same number they are in two files', () => {
    const recall = open();
    const files = [entries(1, 3), entries(2, 2)].map((list) => [recall.setAside(list), list] as const);
    for (const [file, list] of files)
      assert.equal(readFileSync(String(file), 'utf8').trim().split('\n').length, list.length);
  });

  it('that cannot be put aside are said to be nowhere, and stay for the next life', () => {
    const recall = open();
    recall.add(entries(1, 3));
    directory.remove();
    assert.equal(recall.setAside(entries(2, 2)), null);
    assert.equal(problems.length, 1);
  });

  it('are written no more once they are closed', () => {
    const recall = open();
    recall.add(entries(1, 1));
    recall.close();
    recall.add(entries(2, 1));
    assert.deepEqual(found(), entries(1, 1));
  });
});

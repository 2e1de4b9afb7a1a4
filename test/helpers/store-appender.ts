/**
 * A process that appends until it is killed or its disk is full, and tells every acknowledgement on standard output.
 * Arguments: directory, `forever` or `until-full`, JSON list with the next number of each writer.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedStore } from '../../src/adapters/embedded/store';
import { openTape } from '../../src/adapters/files/tape';
import { systemClock } from '../../src/adapters/system/clock';
import { EngineError } from '../../src/core/domain/errors';
import { executionEvent } from '../contract/event-log.contract';
import { recordOf } from '../contract/tape.contract';
import { recordingLogger } from './temporary';

const [path = '', mode, writers = '[]'] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

async function appendUntilKilled(): Promise<void> {
  const store = await openEmbeddedStore({ path, clock: systemClock, logger: recordingLogger() });
  const tape = openTape({
    dir: join(path, 'tape'),
    clock: systemClock,
    logger: recordingLogger(),
    segmentBytes: 4_096,
  });
  const write = async (writer: number, next: number): Promise<void> => {
    for (let i = next; ; i++) {
      await store.log.append([executionEvent(`${writer}-${i}`)]);
      say(`acknowledged ${writer} ${i}`);
    }
  };
  const record = (): void => {
    const position = tape.append(recordOf(tape.lastPosition() + 1));
    say(`taped ${position}`);
    setTimeout(record, 1);
  };
  record();
  await Promise.all((JSON.parse(writers) as number[]).map((next, writer) => write(writer, next)));
}

async function appendUntilFull(): Promise<void> {
  const store = await openEmbeddedStore({ path, clock: systemClock, logger: recordingLogger() });
  const actor = 'x'.repeat(20_000);
  for (let i = 0; ; i++) {
    try {
      await store.log.append([executionEvent(`0-${i}`, { actor })]);
      say(`acknowledged 0 ${i}`);
    } catch (error) {
      say(`refused ${error instanceof EngineError ? error.code : error}`);
      break;
    }
  }
  say(`readable ${(await store.log.read(0, 10_000)).length}`);
  await store.close();
  say('closed');
}

void (mode === 'forever' ? appendUntilKilled() : appendUntilFull());

import assert from 'node:assert/strict';
import { limits } from '../../src/core/domain/limits';
import type { Signal } from '../../src/core/domain/signal';
import type { Lease, Role } from '../../src/live/ports';
import { createSpeaker } from '../../src/live/speaker';
import { recordingOutput } from '../helpers/living';
import { createManualClock } from '../helpers/manual-clock';

const signal = (signalId: string, validMs: number | null = null) =>
  ({ signalId, timestampMs: 1_000, validUntilMs: validMs === null ? null : 1_000 + validMs }) as Signal;

function stage(outputs = [recordingOutput()]) {
  const clock = createManualClock();
  const heard: string[] = [];
  let role: Role = 'standby';
  let predecessorMs: number | null = null;
  const lease: Lease = {
    start: async () => undefined,
    role: () => role,
    message: () => '',
    predecessorMs: () => predecessorMs,
    close: async () => undefined,
  };
  const speaker = createSpeaker({
    lease,
    outputs,
    clock,
    listeners: { emit: (_kind, event) => void heard.push((event as Signal).signalId) },
    failed: () => undefined,
  });
  const lead = (lastHeardMs: number | null) => {
    role = 'leader';
    predecessorMs = lastHeardMs;
  };
  return { clock, heard, speaker, lead, published: () => outputs[0]?.published.map((one) => one.signalId) };
}

describe('who tells signals', () => {
  it('is the leader, at once and everywhere; a standby says nothing', () => {
    const { heard, speaker, lead, published } = stage();
    assert.equal(speaker.say([signal('a')]), false);
    assert.deepEqual([heard, published()], [[], []]);
    lead(null);
    assert.equal(speaker.say([signal('b')]), true);
    assert.deepEqual([heard, published()], [['b'], ['b']]);
  });

  it('one who takes over tells what the one before may not have told, and nothing twice', async () => {
    const { clock, heard, speaker, lead, published } = stage();
    speaker.say([signal('told long ago')]);
    clock.advance(3_000);
    const lastHeardMs = clock.nowMs();
    clock.advance(200);
    speaker.say([signal('told just before'), signal('not told'), signal('not told, and old by now', 500)]);
    clock.advance(1_000);
    lead(lastHeardMs);
    speaker.say([signal('told just before')]);
    heard.length = 0;
    await speaker.takeOver();
    assert.deepEqual(heard, ['not told']);
    assert.deepEqual(published(), ['told just before', 'not told']);
    await speaker.takeOver();
    assert.deepEqual(heard, ['not told'], 'once');
  });

  it('what a standby keeps is bounded in number and in time', async () => {
    const { clock, heard, speaker, lead } = stage([]);
    speaker.say([signal('too old')]);
    clock.advance(limits.unspokenMs + 1);
    speaker.say(Array.from({ length: limits.unspokenSignals + 5 }, (_, i) => signal(`s${i}`)));
    lead(null);
    await speaker.takeOver();
    assert.equal(heard.length, limits.unspokenSignals);
    assert.equal(heard[0], 's5');
  });

  it('a signal is told to listeners although an output fails', async () => {
    const failing = { ...recordingOutput(), publish: () => Promise.reject(new Error('gone')) };
    const { heard, speaker, lead } = stage([failing]);
    speaker.say([signal('a')]);
    lead(null);
    await speaker.takeOver();
    assert.deepEqual(heard, ['a']);
  });
});

import assert from 'node:assert/strict';
import { createMemoryTape } from '../../src/adapters/memory/tape';
import { limits } from '../../src/core/domain/limits';
import type { Lease, Role } from '../../src/live/ports';
import { bar, startMs, tick } from '../helpers/core';
import { codeOf, type Living, living, message, obedientOn, recordingOutput, turn } from '../helpers/living';
import { Disk } from '../simulation/disk';

const never = new Promise<never>(() => undefined);
const swing = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => bar('AAA', startMs + (from + i) * 60_000, [100, 103, 97, i % 2 ? 98 : 102]));

describe('a living engine whose stores fail', () => {
  let life: Living;
  const component = (name: string) => life.engine.summary().components.get(name)?.health;

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o'));
  });

  afterEach(() => life.handles.kill());

  it('a snapshot that fails is told, nothing is lost meanwhile, and the next one is whole again', async () => {
    const { engine, disk, clock } = life;
    await engine.processMarketData(message(swing(0, 3)));
    disk.faults.snapshots = 'refuse';
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(component('snapshots'), 'degraded');
    assert.equal(engine.summary().systemHealth, 'degraded');
    await assert.rejects(engine.snapshot());
    const expected = engine.decisions('o');
    disk.faults.snapshots = 'none';
    life = await life.crash();
    assert.deepEqual(life.engine.decisions('o'), expected);
    await life.engine.processMarketData(message(swing(3, 2)));
    life.clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(component('snapshots'), 'up');
    const position = life.engine.positions();
    life = await life.crash();
    assert.deepEqual(life.engine.positions(), position);
  });

  it('a snapshot that failed is no trouble any more of a process that has stood down', async () => {
    life.handles.kill();
    let role: Role = 'leader';
    let told: (role: Role, message: string) => void = () => undefined;
    const lease: Lease = {
      async start(onRole) {
        told = onRole;
      },
      role: () => role,
      message: () => role,
      predecessorMs: () => null,
      close: async () => undefined,
    };
    life = await living({ disk: life.disk, deps: { lease } });
    const { engine, disk, clock } = life;
    disk.faults.snapshots = 'refuse';
    await engine.processMarketData(message(swing(0, 3)));
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(component('snapshots'), 'degraded');
    role = 'standby';
    told(role, 'follows; another process leads');
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(component('snapshots'), 'up');
    assert.match(engine.summary().components.get('snapshots')?.message ?? '', /leads writes them/);
  });

  it('snapshots come by themselves, when something changed', async () => {
    const { disk, clock, engine } = life;
    const sets = () => disk.history.filter(({ kind }) => kind === 'snapshot').length;
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(sets(), 1);
    clock.advance(10 * limits.snapshotMs);
    await turn();
    assert.equal(sets(), 1);
    await engine.processMarketData(message(swing(0, 1)));
    clock.advance(limits.snapshotMs);
    await turn();
    assert.equal(sets(), 2);
  });

  it('a damaged snapshot is refused for the one before, which is told, and the state is the same', async () => {
    const { engine, disk } = life;
    await engine.processMarketData(message(swing(0, 3)));
    await engine.snapshot();
    await engine.processMarketData(message(swing(3, 3)));
    await engine.snapshot();
    const expected = [engine.decisions('o'), engine.positions()];
    life.handles.kill();
    disk.damageNewestSet();
    life = await life.crash();
    assert.deepEqual([life.engine.decisions('o'), life.engine.positions()], expected);
    assert.match(life.engine.alerts().find(({ code }) => code === 'snapshot_refused')?.message ?? '', /1 damaged/);
  });

  it('a tape that cannot write is told and counted, and the market goes on', async () => {
    const { engine, disk, clock } = life;
    disk.faults.tape = 'full';
    const { signalsGenerated } = await engine.processMarketData(message(swing(0, 4)));
    assert.ok(signalsGenerated > 0);
    assert.equal(component('tape'), 'degraded');
    assert.match(await engine.metricsText(), /strategy_engine_shed_total\{cause="tape"\} 2/);
    disk.faults.tape = 'none';
    clock.advance(500);
    assert.equal(component('tape'), 'up');
    assert.deepEqual(
      engine.alerts().map(({ code, recovered }) => [code, recovered]),
      [
        ['tape_up', true],
        ['tape_degraded', false],
      ],
    );
  });

  it('a tape that was lost is told, and what comes on the new one is replayed after the next crash', async () => {
    await life.engine.processMarketData(message(swing(0, 8)));
    await life.engine.snapshot();
    life.handles.kill();
    const tape = createMemoryTape();
    const anew = await living({ disk: life.disk, deps: { tape } });
    assert.equal(anew.engine.alerts()[0]?.code, 'tape_lost');
    await anew.engine.processMarketData(message(swing(8, 2)));
    const expected = [anew.engine.decisions('o'), anew.engine.positions()];
    anew.handles.kill();
    const next = await living({ disk: life.disk, deps: { tape } });
    assert.deepEqual([next.engine.decisions('o'), next.engine.positions()], expected);
    assert.deepEqual(next.engine.alerts(), []);
    next.handles.kill();
  });

  it('an output that fails stops neither the other output nor the engine', async () => {
    const failing = { ...recordingOutput(), publish: async () => Promise.reject(new Error('gone')) };
    const output = recordingOutput();
    const other = await living({ deps: { outputs: [failing, output] } });
    await other.engine.register(obedientOn('o'));
    const { signals } = await other.engine.processMarketData(message(swing(0, 4)));
    await turn();
    assert.equal(output.published.length, signals.length);
    assert.ok(other.logger.lines.some((line) => line.message === 'an output failed'));
    other.handles.kill();
  });

  it('a store that cannot be read keeps the engine from opening, with its reason', async () => {
    const disk = new Disk();
    disk.faults.log = 'refuse';
    assert.equal(await codeOf(living({ disk })), 'ConnectionError');
  });
});

describe('closing a living engine', () => {
  it('keeps all of it, so that the next start has nothing to replay', async () => {
    const life = await living();
    await life.engine.register(obedientOn('o'));
    await life.engine.processMarketData(message(swing(0, 5)));
    const expected = [life.engine.decisions('o'), life.engine.positions(), life.engine.summary().throughput.outcomes];
    await life.engine.close();
    const next = await living({ disk: life.disk });
    assert.deepEqual(
      [next.engine.decisions('o'), next.engine.positions(), next.engine.summary().throughput.outcomes],
      expected,
    );
    const recovered = next.logger.lines.find(({ message: text }) => text === 'engine recovered');
    assert.match(JSON.stringify(recovered?.fields), /"replayedRecords":0/);
    next.handles.kill();
  });

  it('twice is once, and leaves no timer', async () => {
    const { engine, clock } = await living();
    const first = engine.close();
    assert.equal(engine.close(), first);
    await first;
    assert.equal(clock.pending(), 0);
  });

  it('refuses every act with ConnectionError, while what is known can still be read', async () => {
    const { engine } = await living();
    await engine.register(obedientOn('o'));
    await engine.close();
    const executionResult = { pnl: 1, success: true, executionTimeMs: 1 };
    const acts = [
      engine.register(obedientOn('p')),
      engine.update('o', {}),
      engine.archive('o'),
      engine.rollback('o', 1),
      engine.track({ strategyId: 'o', executionResult }),
      engine.forceAdaptation({ strategyId: 'o' }),
      engine.revert('adp_1'),
      engine.freeze(true),
      engine.processMarketData(message([tick('AAA', startMs, 1)])),
      engine.advance(startMs),
      engine.snapshot(),
    ];
    assert.deepEqual(new Set(await Promise.all(acts.map(codeOf))), new Set(['ConnectionError']));
    assert.equal(engine.strategies().strategies.length, 1);
  });

  it('lets a large message that is under way be finished and kept', async () => {
    const life = await living();
    const items = Array.from({ length: 5_000 }, (_, i) => tick('AAA', startMs + i, 100));
    const [result] = await Promise.all([life.engine.processMarketData(message(items)), life.engine.close()]);
    assert.equal(result.ticksAccepted, 5_000);
    const next = await living({ disk: life.disk });
    assert.equal(next.engine.summary().throughput.ticksTotal, 5_000);
    assert.equal(next.handles.tape.health().shed, 0);
    next.handles.kill();
  });

  it(`ends within ${limits.closeMs} ms of a store, an output and a step that never answer, and closes the rest`, async () => {
    const closed: string[] = [];
    const hanging = { ...recordingOutput(), close: () => never };
    const snapshots = { save: () => never, load: async () => ({ snapshot: null, refused: 0 }), close: () => never };
    const closing = [() => never, async () => void closed.push('last')];
    const { engine, clock, handles, logger } = await living({ deps: { outputs: [hanging], snapshots, closing } });
    await engine.register(obedientOn('o'));
    let isClosed = false;
    const done = engine.close().then(() => {
      isClosed = true;
    });
    for (let ms = 0; ms < limits.closeMs && !isClosed; ms += 50) {
      clock.advance(50);
      await turn();
    }
    await Promise.race([done, turn()]);
    assert.equal(isClosed, true);
    assert.equal(handles.tape.health().health, 'down');
    assert.deepEqual(closed, ['last']);
    const left = logger.lines.filter(({ message: text }) => text === 'closing goes on without');
    assert.deepEqual(
      left.map(({ fields }) => (fields as { step: string }).step),
      ['the last snapshot', 'outputs', 'the store'],
    );
  });

  it('goes on when one step fails', async () => {
    const closed: string[] = [];
    const failing = { ...recordingOutput(), close: async () => Promise.reject(new Error('gone')) };
    const closing = [async () => Promise.reject(new Error('stuck')), async () => void closed.push('last')];
    const { engine } = await living({ deps: { outputs: [failing], closing } });
    await engine.close();
    assert.deepEqual(closed, ['last']);
  });
});

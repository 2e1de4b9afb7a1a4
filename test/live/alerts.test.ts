import assert from 'node:assert/strict';
import { limits } from '../../src/core/domain/limits';
import type { Alert, HealthLevel } from '../../src/core/domain/summary';
import type { Durability } from '../../src/live/ports';
import { startMs } from '../helpers/core';
import { type Living, living, obedientOn } from '../helpers/living';
import { Disk } from '../simulation/disk';
import { createRandom } from '../simulation/random';

describe('alerts', () => {
  let life: Living;
  let told: Alert[];
  beforeEach(async () => {
    life = await living();
    told = [];
    life.engine.on('alert', (alert) => told.push(alert));
  });
  afterEach(() => life.handles.kill());

  const report = (health: HealthLevel, component = 'input:a', message = health === 'up' ? 'back' : 'gone') =>
    life.engine.report({ component, health, message });
  const gap = (source = 'redis') =>
    life.engine.reportGap({ source, fromMs: startMs, toMs: startMs + 1_500, lost: null, reason: 'cut' });
  const codes = () => told.map(({ code }) => code);

  it('tell the same thing once, and once more at the end of the window with how often it was', () => {
    for (let i = 0; i < 5; i++) {
      gap();
      life.clock.advance(1_000);
    }
    assert.deepEqual(codes(), ['gap']);
    const [kept, ...others] = life.engine.alerts();
    assert.deepEqual([others.length, kept?.count, kept?.timestampMs, kept?.lastMs], [0, 5, startMs, startMs + 4_000]);
    life.clock.advance(limits.alertWindowMs - 5_000);
    assert.deepEqual(codes(), ['gap', 'gap']);
    assert.deepEqual([told[1]?.alertId, told[1]?.count], [told[0]?.alertId, 5]);
    assert.equal(told[1]?.message, 'gap of 1.5 s in redis: cut (4 more in 60 s)');
    life.clock.advance(3 * limits.alertWindowMs);
    assert.equal(told.length, 2, 'nothing came, nothing is told');
    gap();
    assert.deepEqual([told.length, told[2]?.count, life.engine.alerts().length], [3, 1, 2]);
    assert.notEqual(told[2]?.alertId, told[0]?.alertId);
  });

  it('of other sources are others', () => {
    gap('one');
    gap('two');
    assert.deepEqual(
      told.map(({ component }) => component),
      ['one', 'two'],
    );
  });

  it('that go on for an hour are told once a minute, every one counted', async () => {
    for (let i = 0; i < 3_600; i++) {
      gap();
      life.clock.advance(1_000);
    }
    assert.ok(told.length >= 59 && told.length <= 61, `${told.length}`);
    assert.equal(life.engine.alerts().length, 1);
    assert.match(await life.engine.metricsText(), /strategy_engine_alerts_total\{code="gap"\} 3600/);
  });

  it('count the repetitions of so many different ones at once, and no more', () => {
    for (let i = 0; i <= limits.alertWindows; i++) gap(`source ${i}`);
    assert.equal(told.length, limits.alertWindows + 1);
    gap(`source ${limits.alertWindows}`);
    assert.equal(told.length, limits.alertWindows + 1, 'the newest is still known');
    gap('source 0');
    assert.equal(told.length, limits.alertWindows + 2, 'the oldest is not');
    assert.equal(life.engine.alerts().length, limits.alerts);
  });

  it('of a trouble are followed by one that says how long it was', () => {
    report('up');
    report('down');
    life.clock.advance(12_300);
    report('up');
    assert.deepEqual(
      told.map(({ message }) => message),
      ['input:a down: gone', 'input:a recovered after 12.3 s: back'],
    );
    const [down, up] = told;
    assert.deepEqual([down?.recovered, down?.durationMs, down?.sinceMs], [false, undefined, startMs]);
    assert.deepEqual([up?.recovered, up?.durationMs, up?.sinceMs], [true, 12_300, startMs]);
    assert.equal(up?.timestampMs, startMs + 12_300);
  });

  it('of a door are none while it is being opened, and one when it cannot be', () => {
    report('degraded', 'input:a', 'connecting');
    report('up');
    assert.deepEqual(codes(), []);
    report('degraded', 'output:b', 'connecting');
    report('down', 'output:b');
    report('up', 'output:b');
    assert.deepEqual(codes(), ['output:b_down', 'output:b_up']);
  });

  it('of a trouble that grows are two, and one end', () => {
    report('up');
    report('degraded');
    life.clock.advance(3_000);
    report('down');
    life.clock.advance(4_000);
    report('up');
    assert.deepEqual(codes(), ['input:a_degraded', 'input:a_down', 'input:a_up']);
    assert.equal(told[2]?.durationMs, 7_000);
    assert.deepEqual(
      told.map(({ level }) => level),
      ['warning', 'critical', 'info'],
    );
  });

  it('of a component that flaps are few, say so, and end with what it is when it is steady', () => {
    for (let i = 0; i < 100; i++) {
      report('down');
      life.clock.advance(500);
      report('up');
      life.clock.advance(500);
    }
    const twice = ['input:a_down', 'input:a_up', 'input:a_down', 'input:a_up'];
    assert.deepEqual(codes(), [...twice, 'flapping', 'flapping']);
    assert.match(told[4]?.message ?? '', /^input:a flaps: down again; it is told when it stays as it is for 60 s/);
    assert.equal(told[4]?.level, 'critical');
    life.clock.advance(limits.alertWindowMs);
    assert.deepEqual(codes().slice(6), ['flapping', 'input:a_up']);
    assert.equal(told[7]?.message, 'input:a recovered after 97.5 s, 98 times: back');
    life.clock.advance(5 * limits.alertWindowMs);
    assert.equal(told.length, 8);
    report('down');
    assert.equal(told.length, 9, 'afterwards it is told at once again');
  });

  it('of a component that flapped and stayed down say that it is down, and later that it is over', () => {
    for (const health of ['down', 'up', 'down', 'up', 'down'] as const) report(health);
    life.clock.advance(limits.alertWindowMs);
    assert.deepEqual(codes().slice(4), ['flapping', 'input:a_down']);
    report('up');
    assert.deepEqual(codes().slice(6), ['input:a_up']);
    assert.equal(told[6]?.durationMs, limits.alertWindowMs);
  });

  it('of a door that closed are over with it', () => {
    for (const health of ['down', 'up', 'down', 'up', 'down'] as const) report(health);
    life.engine.forget('input:a');
    life.clock.advance(2 * limits.alertWindowMs);
    assert.deepEqual(codes().slice(4), ['flapping']);
  });

  it('whatever a component does: bounded in every window, no end without a beginning, and the last word is true', () => {
    const random = createRandom(7);
    report('up');
    for (let i = 0; i < 3_000; i++) {
      report(random.pick<HealthLevel>(['up', 'up', 'degraded', 'down']));
      life.clock.advance(random.chance(0.02) ? 90_000 : random.int(0, 5_000));
    }
    for (const end of ['up', 'down'] as const) {
      report(end);
      life.clock.advance(3 * limits.alertWindowMs);
      const states = told.filter(({ code }) => code !== 'flapping');
      assert.equal(states.at(-1)?.code, `input:a_${end}`);
    }
    let isOpen = false;
    for (const { recovered } of told) {
      assert.ok(isOpen || !recovered, 'an end has a beginning');
      isOpen = !recovered;
    }
    assert.ok(told.some(({ code }) => code === 'flapping'));
    for (const { timestampMs } of told) {
      const near = told.filter((one) => one.lastMs >= timestampMs && one.lastMs < timestampMs + limits.alertWindowMs);
      assert.ok(near.length <= 10, `${near.length} within a window`);
    }
  });
});

describe('a store that does not keep what it acknowledges', () => {
  const volatile: Durability = {
    kind: 'redis',
    survivesProcessKill: true,
    survivesStoreKill: false,
    survivesPowerLoss: false,
    text: 'in Redis without AOF',
  };

  async function lifeWith(durability: () => Durability): Promise<Living> {
    const disk = new Disk();
    const { log } = disk.open();
    return living({ disk, deps: { log: { ...log, durability } } });
  }

  it('is told at the start and shown, until it does', async () => {
    let durability = volatile;
    const life = await lifeWith(() => durability);
    const { engine } = life;
    assert.deepEqual(
      engine.alerts().map(({ code, level, component }) => [code, level, component]),
      [['volatile_store', 'warning', 'durability']],
    );
    const { components, systemHealth } = engine.summary();
    assert.equal(components.get('store')?.health, 'up');
    assert.deepEqual(
      [components.get('durability')?.health, components.get('durability')?.message, systemHealth],
      ['up', 'not durable: in Redis without AOF', 'excellent'],
    );
    durability = { ...volatile, survivesStoreKill: true, text: 'in Redis with AOF' };
    await engine.register(obedientOn('o'));
    assert.equal(engine.summary().components.get('durability')?.message, 'in Redis with AOF');
    assert.deepEqual([engine.alerts()[0]?.code, engine.alerts()[0]?.message], ['durable_store', 'in Redis with AOF']);
    life.handles.kill();
  });

  it('is no news where the store is memory, nor where a Redis does not say', async () => {
    for (const durability of [
      { ...volatile, kind: 'memory' } as const,
      { ...volatile, survivesStoreKill: 'unknown' } as const,
    ]) {
      const life = await lifeWith(() => durability);
      assert.deepEqual(life.engine.alerts(), []);
      assert.equal(life.engine.summary().systemHealth, 'excellent');
      life.handles.kill();
    }
  });
});

import assert from 'node:assert/strict';
import type { AdaptationView } from '../../src/core/domain/bodies';
import { forcedCooldownMs } from '../../src/core/learning/adapt';
import { codeOf, type Living, living, obedientOn } from '../helpers/living';

const stressed = { volatility: 'high' as const };

describe('adaptation of a living engine', () => {
  let life: Living;
  const force = (more: { dryRun?: boolean; strategyType?: string } = {}) =>
    life.engine.forceAdaptation({
      ...(more.strategyType === undefined ? { strategyId: 'o' } : { strategyType: more.strategyType }),
      marketConditions: stressed,
      dryRun: more.dryRun ?? false,
    });
  const threshold = () => life.engine.strategy('o').parameters.confidenceThreshold?.value;

  beforeEach(async () => {
    life = await living();
    await life.engine.register(obedientOn('o', { parameters: { confidenceThreshold: 0.5 } }));
  });

  afterEach(() => life.handles.kill());

  it('a forced step is applied at once, recorded with its evidence, and told', async () => {
    const told: AdaptationView[] = [];
    life.engine.on('adaptation', (view) => told.push(view));
    const { adaptationTriggered, adaptations, newParameters } = await force();
    const [view] = adaptations;
    assert.equal(adaptationTriggered, true);
    assert.deepEqual(told, adaptations);
    assert.deepEqual([view?.stage, view?.applied, view?.from.confidenceThreshold], ['applied', true, 0.5]);
    assert.ok(Number(threshold()) > 0.5);
    assert.deepEqual(newParameters, view?.to);
    assert.equal(life.engine.strategy('o').version, 2);
    assert.deepEqual(life.engine.adaptations().adaptations, adaptations);
    assert.match(view?.revert ?? '', /\/revert$/);
  });

  it('a dry run says what would be and changes nothing', async () => {
    const { adaptationTriggered, adaptations } = await force({ dryRun: true });
    assert.deepEqual([adaptationTriggered, adaptations[0]?.stage, adaptations[0]?.revert], [false, 'proposed', null]);
    assert.notEqual(adaptations[0]?.to.confidenceThreshold, 0.5);
    assert.equal(threshold(), 0.5);
    assert.equal(life.disk.log().length, 1);
  });

  it('a second step within the cool-down is refused with the reason, and applied after it', async () => {
    await force();
    const { adaptationTriggered, reason, adaptations } = await force();
    assert.deepEqual([adaptationTriggered, reason?.code, adaptations[0]?.stage], [false, 'cooldown', 'refused']);
    life.clock.advance(forcedCooldownMs);
    assert.equal((await force()).adaptationTriggered, true);
  });

  it('frozen it refuses, across a crash, until it is released', async () => {
    assert.deepEqual(await life.engine.freeze(true, 'audit'), { frozen: true });
    life = await life.crash();
    const { reason } = await force();
    assert.deepEqual([reason?.code, reason?.text], ['frozen', 'learning is frozen: audit']);
    await life.engine.freeze(false);
    assert.equal((await force()).adaptationTriggered, true);
  });

  it('an undone step gives back the exact values, once', async () => {
    const { adaptations } = await force();
    const id = adaptations[0]?.adaptationId ?? '';
    const { adaptation } = await life.engine.revert(id);
    assert.deepEqual([adaptation.stage, adaptation.evidence.reverses], ['reverted', id]);
    assert.equal(threshold(), 0.5);
    assert.equal(life.engine.strategy('o').version, 3);
    assert.equal(await codeOf(life.engine.revert(id)), 'ConflictError');
    assert.equal(await codeOf(life.engine.revert('adp_none')), 'NotFoundError');
  });

  it('a step whose parameter was changed since is not undone over that change', async () => {
    const { adaptations } = await force();
    await life.engine.update('o', { parameters: { confidenceThreshold: 0.9 } });
    assert.equal(await codeOf(life.engine.revert(adaptations[0]?.adaptationId ?? '')), 'ConflictError');
    assert.equal(threshold(), 0.9);
  });

  it('a step of an archived strategy is neither forced nor undone', async () => {
    const { adaptations } = await force();
    await life.engine.archive('o');
    assert.equal(await codeOf(force()), 'NotFoundError');
    assert.equal(await codeOf(life.engine.revert(adaptations[0]?.adaptationId ?? '')), 'ConflictError');
  });

  it('a type means all its strategies; one that is unknown is NotFoundError, one without strategies says so', async () => {
    await life.engine.register(obedientOn('p'));
    const both = await force({ strategyType: 'obedient' });
    assert.ok(both.newParameters instanceof Map);
    assert.deepEqual([...both.newParameters.keys()].sort(), ['o', 'p']);
    assert.equal(await codeOf(force({ strategyType: 'nothing' })), 'NotFoundError');
    const none = await force({ strategyType: 'every_tick' });
    assert.deepEqual([none.adaptationTriggered, none.reason?.code], [false, 'no_strategies']);
  });

  it('a change that comes between a step and its writing is a conflict, and nothing is half done', async () => {
    const update = life.engine.update('o', { parameters: { stopRatio: 0.3 } });
    assert.equal(await codeOf(force()), 'ConflictError');
    await update;
    const { parameters, version } = life.engine.strategy('o');
    assert.deepEqual([version, parameters.stopRatio?.value, threshold()], [2, 0.3, 0.5]);
    assert.deepEqual(life.engine.adaptations().adaptations, []);
  });

  it('a store that fails leaves everything as it was', async () => {
    life.disk.faults.log = 'refuse';
    assert.equal(await codeOf(force()), 'ConnectionError');
    assert.equal(threshold(), 0.5);
    assert.deepEqual(life.engine.adaptations().adaptations, []);
  });
});

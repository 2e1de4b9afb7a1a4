import assert from 'node:assert/strict';
import { limits } from '../../../src/core/domain/limits';
import type { AdaptationApplied, LogEvent } from '../../../src/core/domain/log-event';
import { StateReader, StateWriter } from '../../../src/core/domain/state-codec';
import { forcedCooldownMs, proposeStep, type Step } from '../../../src/core/learning/adapt';
import {
  type AuditTrail,
  adaptationOf,
  adaptationView,
  adaptationViews,
  createAudit,
  foldAudit,
  railsOf,
  readAudit,
  revertOf,
  unappliedView,
  writeAudit,
} from '../../../src/core/learning/audit';

const atMs = 1_704_067_200_000;
const parameters = { confidenceThreshold: 0.5, riskTolerance: 0.1 + 0.2, members: { x: { period: 3 } } };

const step: Step = proposeStep({
  family: 'htf',
  bounds: { confidenceThreshold: { minimum: 0, maximum: 1 }, riskTolerance: { minimum: 0, maximum: 1 } },
  parameters,
  measured: null,
  claimed: { volatility: 'high' },
  recent: null,
  rails: { nowMs: atMs, frozen: null, lastForcedMs: null },
});

function envelope(seq: number) {
  const aggregate = { aggregate: 'audit', aggregateVersion: seq };
  return { seq, id: `id${seq}`, contentHash: '', v: 1 as const, ...aggregate, atMs: atMs + seq, actor: 'api' };
}

function adapted(seq: number, data: AdaptationApplied): LogEvent {
  return { ...envelope(seq), type: 'adaptation', data };
}

function applied(seq: number, strategyId = 's1'): LogEvent {
  return adapted(seq, adaptationOf(step, { adaptationId: `adaptation_${seq}`, strategyId, fromVersion: seq }));
}

function trailOf(...events: readonly LogEvent[]): AuditTrail {
  const trail = createAudit();
  for (const event of events) foldAudit(trail, event);
  return trail;
}

describe('the audit trail', () => {
  it('lists adaptations newest first, each with why and how to undo it', () => {
    const views = adaptationViews(trailOf(applied(1), applied(2)));
    assert.deepEqual(
      views.map((view) => view.adaptationId),
      ['adaptation_2', 'adaptation_1'],
    );
    assert.deepEqual(views[1], {
      adaptationId: 'adaptation_1',
      strategyId: 's1',
      stage: 'applied',
      applied: true,
      from: parameters,
      to: step.to,
      reason: step.reason,
      evidence: step.evidence,
      revert: '/api/learning/adaptations/adaptation_1/revert',
      at: '2024-01-01T00:00:00.001Z',
    });
  });

  it('undoes one exactly, to the last bit, and says so of both', () => {
    const trail = trailOf(applied(1));
    const undo = revertOf(trail, 'adaptation_1', { adaptationId: 'adaptation_2', parameters: step.to, version: 2 });
    assert.deepEqual(undo.to, parameters);
    assert.equal(undo.to.riskTolerance, 0.30000000000000004);
    assert.deepEqual([undo.stage, undo.reverses, undo.fromVersion], ['reverted', 'adaptation_1', 2]);
    foldAudit(trail, adapted(2, undo));
    const [act, undone] = adaptationViews(trail);
    assert.deepEqual([act?.stage, act?.applied, act?.reason.code], ['reverted', true, 'reverted']);
    assert.deepEqual([undone?.stage, undone?.applied, undone?.revert], ['reverted', false, null]);
    assert.equal(undone?.evidence.revertedBy, 'adaptation_2');
  });

  it('leaves parameters that others changed since as they are', () => {
    const now = { ...step.to, members: { x: { period: 9 } } };
    const undo = revertOf(trailOf(applied(1)), 'adaptation_1', { adaptationId: 'r', parameters: now, version: 3 });
    assert.deepEqual(undo.to, { ...parameters, members: { x: { period: 9 } } });
  });

  it('refuses to undo what is unknown, undone already, or changed again since', () => {
    const now = { adaptationId: 'r', parameters: step.to, version: 2 };
    assert.throws(() => revertOf(trailOf(), 'nothing', now), { code: 'NotFoundError' });
    const trail = trailOf(applied(1));
    foldAudit(trail, adapted(2, revertOf(trail, 'adaptation_1', now)));
    assert.throws(() => revertOf(trail, 'adaptation_1', now), { code: 'ConflictError', message: /undone already/ });
    const changed = { ...now, parameters: { ...step.to, confidenceThreshold: 0.9 } };
    assert.throws(() => revertOf(trailOf(applied(1)), 'adaptation_1', changed), {
      code: 'ConflictError',
      message: /confidence_threshold was changed since/,
    });
  });

  it('holds the freeze and the last forced step of each strategy for the rails', () => {
    const trail = trailOf(applied(1), applied(2, 's2'));
    assert.deepEqual(railsOf(trail, 's1', 5), { nowMs: 5, frozen: null, lastForcedMs: atMs + 1 });
    assert.equal(railsOf(trail, 's3', 5).lastForcedMs, null);
    foldAudit(trail, { ...envelope(3), type: 'learning_frozen', data: { frozen: true, reason: 'audit' } });
    assert.deepEqual([railsOf(trail, 's1', 5).frozen, trail.frozenMs], ['audit', atMs + 3]);
    foldAudit(trail, { ...envelope(4), type: 'learning_frozen', data: { frozen: false, reason: '' } });
    assert.equal(railsOf(trail, 's1', 5).frozen, null);
  });

  it('counts the act of undoing as no forced step', () => {
    const trail = trailOf(applied(1));
    const undo = revertOf(trail, 'adaptation_1', { adaptationId: 'r', parameters: step.to, version: 2 });
    foldAudit(trail, adapted(2 + forcedCooldownMs, undo));
    assert.equal(trail.lastForcedMs.get('s1'), atMs + 1);
  });

  it('keeps the latest and counts all', () => {
    const trail = createAudit();
    for (let i = 1; i <= limits.adaptations + 3; i++) foldAudit(trail, applied(i));
    assert.deepEqual([trail.entries.size, trail.total], [limits.adaptations, limits.adaptations + 3]);
    assert.equal(adaptationView(trail, 'adaptation_3'), undefined);
    assert.equal(adaptationView(trail, 'adaptation_4')?.strategyId, 's1');
  });

  it('is restored as it was', () => {
    const trail = trailOf(applied(1), applied(2, 's2'));
    foldAudit(
      trail,
      adapted(3, revertOf(trail, 'adaptation_1', { adaptationId: 'r', parameters: step.to, version: 2 })),
    );
    foldAudit(trail, { ...envelope(4), type: 'learning_frozen', data: { frozen: true, reason: 'why' } });
    const out = new StateWriter();
    writeAudit(trail, out);
    const restored = createAudit();
    const input = new StateReader(out.bytes());
    readAudit(restored, input);
    assert.ok(input.end());
    assert.deepEqual(restored, trail);
  });

  it('shows a step that was not applied as proposed, or as refused', () => {
    const proposed = unappliedView(step, 'x', 's1', atMs);
    assert.deepEqual([proposed.stage, proposed.applied, proposed.revert], ['proposed', false, null]);
    const refused = unappliedView({ ...step, isRefused: true, reason: { code: 'stress', text: 't' } }, 'x', 's1', atMs);
    assert.deepEqual([refused.stage, refused.reason.code], ['refused', 'stress']);
  });
});

import assert from 'node:assert/strict';
import { EngineError } from '../../../src/core/domain/errors';
import { limits } from '../../../src/core/domain/limits';
import {
  builtInStrategies,
  createRegistry,
  mergeParameters,
  parameterViews,
  parseParameters,
} from '../../../src/core/strategies/registry';
import type { StrategyDefinition } from '../../../src/core/strategies/strategy';

const registry = createRegistry();
const crossover = registry.require('moving_average_crossover');
const trend = registry.require('trend_following');

function errorOf(run: () => unknown): EngineError {
  try {
    run();
  } catch (thrown) {
    assert.ok(thrown instanceof EngineError);
    return thrown;
  }
  throw new Error('nothing was thrown');
}

describe('parameters', () => {
  it('are filled in from the defaults, in camelCase or snake_case', () => {
    const { parameters, warnings } = parseParameters(crossover, { fast_period: 5, slowPeriod: 9 });
    assert.deepEqual([...Object.entries(parameters)].slice(0, 6), [
      ['confidenceThreshold', 0.5],
      ['riskTolerance', 0.5],
      ['cooldownMs', 0],
      ['fastPeriod', 5],
      ['slowPeriod', 9],
      ['averageType', 'ema'],
    ]);
    assert.deepEqual(warnings, []);
    assert.deepEqual(parseParameters(crossover, { ...parameters }).parameters, parameters);
  });

  it('unknown names are ignored and named, and none reaches an object as a key', () => {
    const raw = JSON.parse('{"__proto__": {"fast_period": 3}, "constructor": 1, "lookBack": 2}') as Record<
      string,
      unknown
    >;
    const { parameters, warnings } = parseParameters(crossover, raw);
    assert.deepEqual(parameters, parseParameters(crossover, {}).parameters);
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      ['parameters.__proto__', 'parameters.constructor', 'parameters.look_back'],
    );
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x${i}`, i]));
    const bounded = parseParameters(crossover, many).warnings;
    assert.equal(bounded.length, limits.errorDetails + 1);
    assert.equal(bounded.at(-1), '80 more unknown parameters were ignored');
  });

  it('a bad value names its field, the bounds and what was received', () => {
    const error = errorOf(() => parseParameters(crossover, { fast_period: 1, slow_period: '30', average_type: 'wma' }));
    assert.equal(error.code, 'ValueError');
    assert.equal(error.httpStatus, 422);
    assert.equal(error.message, 'parameters.fast_period must be a whole number from 2 to 500, received 1 (and 2 more)');
    assert.deepEqual(error.details, [
      { path: 'parameters.fast_period', message: 'must be a whole number from 2 to 500', received: 1 },
      { path: 'parameters.slow_period', message: 'must be a whole number from 3 to 1000', received: '30' },
      { path: 'parameters.average_type', message: 'must be one of ema, sma', received: 'wma' },
    ]);
  });

  it('nothing that is not a number passes for one', () => {
    for (const bad of [null, '', '12', [], [12], {}, true, Number.NaN, Number.POSITIVE_INFINITY, 12.5]) {
      const error = errorOf(() => parseParameters(crossover, { fastPeriod: bad }));
      assert.equal(error.details[0]?.path, 'parameters.fast_period', String(bad));
    }
  });

  it('what two parameters ask of each other is told once both are valid', () => {
    const error = errorOf(() => parseParameters(crossover, { fast_period: 30 }));
    assert.equal(error.message, 'parameters.fast_period must be less than slow_period, received 30');
    const both = errorOf(() => parseParameters(crossover, { fast_period: 30, slow_period: -1 }));
    assert.deepEqual(
      both.details.map((detail) => detail.path),
      ['parameters.slow_period'],
    );
  });

  it('an update changes what it names and keeps the rest', () => {
    const before = parseParameters(crossover, { fastPeriod: 5, stopAtr: 3 }).parameters;
    const { parameters, warnings } = mergeParameters(crossover, { ...before }, { slow_period: 50, bogus: 1 });
    assert.deepEqual(parameters, { ...before, slowPeriod: 50 });
    assert.equal(warnings.length, 1);
    assert.match(errorOf(() => mergeParameters(crossover, { ...before }, { slow_period: 4 })).message, /fast_period/);
  });
});

describe('parameters of a family', () => {
  const members = (raw: Record<string, unknown>) =>
    (parseParameters(trend, raw).parameters as unknown as { members: Record<string, Record<string, unknown>> }).members;

  it('a flat name goes to every member that has it; what is given to a member wins', () => {
    const given = members({
      atr_period: 9,
      members: { breakout_strategy: { atr_period: 7 }, momentumRider: { lookback: 30 } },
    });
    assert.equal(given.moving_average_crossover?.atrPeriod, 9);
    assert.equal(given.breakout_strategy?.atrPeriod, 7);
    assert.equal(given.momentum_rider?.lookback, 30);
    assert.equal(Object.hasOwn(given.momentum_rider ?? {}, 'atrPeriod'), false);
  });

  it('unknown names are named with where they stood', () => {
    const { warnings } = parseParameters(trend, { rsi_period: 3, members: { nope: {}, momentum_rider: { zz: 1 } } });
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      ['parameters.rsi_period', 'parameters.members.nope', 'parameters.members.momentum_rider.zz'],
    );
  });

  it('errors stand at the name that was sent', () => {
    const flat = errorOf(() => parseParameters(trend, { lookback: 1, confidence_threshold: 7 }));
    assert.deepEqual(
      flat.details.map((detail) => detail.path),
      ['parameters.confidence_threshold', 'parameters.lookback'],
    );
    const inner = errorOf(() => parseParameters(trend, { members: { momentum_rider: { lookback: 'x' } } }));
    assert.equal(inner.details[0]?.path, 'parameters.members.momentum_rider.lookback');
    const refined = errorOf(() => parseParameters(trend, { fast_period: 400 }));
    assert.equal(refined.message, 'parameters.fast_period must be less than slow_period, received 400');
    assert.match(
      errorOf(() => parseParameters(trend, { members: 3 })).message,
      /^parameters.members must be an object/,
    );
  });

  it('an update by a flat name changes every member that has it', () => {
    const before = parseParameters(trend, { members: { breakout_strategy: { atr_period: 7 } } }).parameters;
    const { parameters } = mergeParameters(trend, { ...before }, { atr_period: 11 });
    const after = (parameters as unknown as { members: Record<string, Record<string, unknown>> }).members;
    assert.deepEqual([after.breakout_strategy?.atrPeriod, after.moving_average_crossover?.atrPeriod], [11, 11]);
  });
});

describe('the registry', () => {
  it('has the built-in types and their families', () => {
    const families = new Set([...builtInStrategies.values()].map((definition) => definition.family));
    for (const family of families) assert.ok(builtInStrategies.has(family), family);
    for (const type of ['moving_average_crossover', 'momentum_rider', 'breakout_strategy', 'mean_reversion']) {
      assert.equal(builtInStrategies.get(type)?.type, type);
    }
  });

  it('an unknown type is a ValueError that names the known ones', () => {
    const error = errorOf(() => registry.require('nope'));
    assert.equal(error.details[0]?.path, 'strategy_type');
    assert.match(error.message, /must be one of trend_following, moving_average_crossover/);
    assert.equal(registry.get('nope'), undefined);
    assert.equal(registry.get('__proto__'), undefined);
  });

  it('takes a definition once, under a proper name, and up to its limit', () => {
    const own = createRegistry();
    const named = (type: string): StrategyDefinition => ({ ...crossover, type });
    own.define(named('mine'));
    assert.equal(own.require('mine').type, 'mine');
    assert.match(errorOf(() => own.define(named('mine'))).message, /defined already/);
    assert.match(errorOf(() => own.define(named('Not-This'))).message, /must match/);
    while (own.all().length < limits.strategyTypes) own.define(named(`t${own.all().length}`));
    assert.match(errorOf(() => own.define(named('one_more'))).message, /cannot be added/);
    assert.equal(registry.get('mine'), undefined, 'another registry is another');
    assert.equal(createRegistry([named('given')]).require('given').type, 'given');
  });

  it('shows each type with a JSON Schema in snake_case: default, description, bounds', () => {
    for (const view of registry.typeViews()) {
      const properties = view.parameters.get('properties');
      assert.ok(properties instanceof Map && properties.size >= 3, view.type);
      assert.deepEqual(view.inputs, ['bars']);
      for (const [name, schema] of properties as Map<string, Map<string, unknown>>) {
        assert.match(name, /^[a-z0-9_]+$/);
        assert.ok(schema.has('default') && schema.has('description'), `${view.type}.${name}`);
        const isNumber = schema.get('type') === 'number' || schema.get('type') === 'integer';
        if (isNumber) assert.ok(schema.has('minimum') && schema.has('maximum'), `${view.type}.${name}`);
      }
    }
    const family = new Map(registry.typeViews().map((view) => [view.type, view])).get('trend_following');
    const properties = family?.parameters.get('properties') as Map<string, Map<string, unknown>> | undefined;
    const members = properties?.get('members')?.get('properties') as Map<string, unknown> | undefined;
    assert.deepEqual([...(members?.keys() ?? [])], ['moving_average_crossover', 'momentum_rider', 'breakout_strategy']);
  });

  it('shows each parameter of a strategy with its value, default and bounds', () => {
    const views = parameterViews(crossover, parseParameters(crossover, { fast_period: 5 }).parameters as never);
    assert.deepEqual(views.fastPeriod, {
      value: 5,
      default: 12,
      minimum: 2,
      maximum: 500,
      description: 'Bars of the fast average; lower = earlier crossings and more false ones.',
    });
    assert.equal(views.averageType?.minimum, null);
  });
});

/** Every strategy type there is. A new one is one line here; editor, API and docs read the rest from its definition. */
import type { ParameterView, TypeView } from '../domain/bodies';
import { valueError } from '../domain/errors';
import { limits } from '../domain/limits';
import { familyDefinition } from './family';
import { parameterSchemas, type RawParameters, snakeName } from './parameters';
import { meanReversion } from './statistical-arbitrage/mean-reversion';
import type { CommonParameters, StateShape, StrategyDefinition } from './strategy';
import { breakoutStrategy } from './trend-following/breakout-strategy';
import { momentumRider } from './trend-following/momentum-rider';
import { movingAverageCrossover } from './trend-following/moving-average-crossover';

export { mergeParameters, type ParsedParameters, parseParameters, type RawParameters } from './parameters';

/** The types that come with the engine, families included, by type. */
export const builtInStrategies: ReadonlyMap<string, StrategyDefinition> = byType([
  familyDefinition('trend_following', [movingAverageCrossover, momentumRider, breakoutStrategy]),
  movingAverageCrossover,
  momentumRider,
  breakoutStrategy,
  familyDefinition('statistical_arbitrage', [meanReversion]),
  meanReversion,
]);

function byType(definitions: readonly StrategyDefinition[]): Map<string, StrategyDefinition> {
  return new Map(definitions.map((definition) => [definition.type, definition]));
}

/** The types one engine knows: the built-in ones and the user's own. */
export interface Registry {
  get(type: string): StrategyDefinition | undefined;
  /** As `get`; throws a `ValueError` at `strategy_type` that names the types there are. */
  require(type: string): StrategyDefinition;
  /** Adds a type. Throws a `ValueError` when its name is taken, malformed, or there are too many. */
  define<P extends CommonParameters, S extends StateShape>(definition: StrategyDefinition<P, S>): void;
  /** In the order in which they were defined. */
  all(): readonly StrategyDefinition[];
  typeViews(): readonly TypeView[];
}

const typeName = /^[a-z][a-z0-9_]{0,47}$/;

/** A registry of the built-in types and `extra` ones. */
export function createRegistry(extra: readonly StrategyDefinition[] = []): Registry {
  const known = new Map(builtInStrategies);
  const registry: Registry = {
    get: (type) => known.get(type),
    require(type) {
      const definition = known.get(type);
      if (definition) return definition;
      const names = [...known.keys()].join(', ');
      throw valueError('strategy_type', `must be one of ${names}`, type.slice(0, limits.receivedChars));
    },
    define(definition) {
      const { type } = definition;
      if (!typeName.test(type)) throw valueError('type', `must match ${typeName.source}`, type);
      if (known.has(type)) throw valueError('type', 'is defined already', type);
      if (known.size >= limits.strategyTypes)
        throw valueError('type', `cannot be added: ${known.size} types are known`);
      for (const name of ['confidenceThreshold', 'riskTolerance', 'cooldownMs']) {
        if (!Object.hasOwn(definition.parameters.shape, name))
          throw valueError('parameters', `must have ${name}`, type);
      }
      known.set(type, definition);
    },
    all: () => [...known.values()],
    typeViews: () => [...known.values()].map(typeView),
  };
  for (const definition of extra) registry.define(definition);
  return registry;
}

/** A type as the outside sees it. `inputs` says what it is fed. */
export function typeView(definition: StrategyDefinition): TypeView {
  const { type, family, description, tier, data, parameters, memberParameters } = definition;
  return {
    type,
    family,
    description,
    inputs: [data],
    tier,
    parameters: new Map<string, unknown>([
      ['type', 'object'],
      ['properties', properties(parameters, memberParameters)],
    ]),
  };
}

function properties(
  schema: StrategyDefinition['parameters'],
  members: StrategyDefinition['memberParameters'],
): Map<string, unknown> {
  const views = new Map<string, unknown>();
  for (const [name, property] of Object.entries(parameterSchemas(schema))) {
    const view = new Map<string, unknown>(Object.entries(property));
    if (name === 'members' && members) view.set('properties', memberProperties(members));
    views.set(snakeName(name), view);
  }
  return views;
}

function memberProperties(members: NonNullable<StrategyDefinition['memberParameters']>): Map<string, unknown> {
  const views = new Map<string, unknown>();
  for (const [type, schema] of members) {
    const inner = new Map<string, unknown>();
    for (const [name, property] of Object.entries(parameterSchemas(schema))) {
      inner.set(snakeName(name), new Map(Object.entries(property)));
    }
    views.set(
      type,
      new Map<string, unknown>([
        ['type', 'object'],
        ['properties', inner],
      ]),
    );
  }
  return views;
}

/** Each parameter's value, default and bounds, by camelCase name. */
export function parameterViews(definition: StrategyDefinition, values: RawParameters): Record<string, ParameterView> {
  const views: Record<string, ParameterView> = {};
  const defaults: RawParameters = { ...definition.parameters.parse({}) };
  for (const [name, schema] of Object.entries(parameterSchemas(definition.parameters))) {
    views[name] = {
      value: Object.hasOwn(values, name) ? values[name] : defaults[name],
      default: defaults[name],
      minimum: schema.minimum ?? null,
      maximum: schema.maximum ?? null,
      description: schema.description ?? '',
    };
  }
  return views;
}

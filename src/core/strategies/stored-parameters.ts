/**
 * Parameters as the log holds them. They were valid when they were written; a schema may have become stricter since. That
 * must not keep an engine from opening: what no longer fits is replaced by its default, and named.
 */
import { EngineError } from '../domain/errors';
import { camelName, type ParsedParameters, parseParameters, type RawParameters } from './parameters';
import type { StrategyDefinition } from './strategy';

export interface StoredParameters {
  readonly parameters: ParsedParameters['parameters'];
  /** Paths that no longer meet the schema and have their default now, such as `parameters.fast_period`. */
  readonly replaced: readonly string[];
}

/** Fields dropped one round after the other; what still does not fit then is taken whole from the defaults. */
const rounds = 8;

export function storedParameters(definition: StrategyDefinition, raw: RawParameters): StoredParameters {
  const replaced: string[] = [];
  let left: RawParameters = raw;
  for (let round = 0; round < rounds; round++) {
    const wrong = problems(definition, left);
    if (typeof wrong !== 'string') return { parameters: wrong.parameters, replaced };
    if (replaced.includes(wrong)) break;
    replaced.push(wrong);
    left = without(left, wrong.split('.').slice(1));
  }
  return { parameters: parseParameters(definition, {}).parameters, replaced: [...replaced, 'parameters'] };
}

/** The path of the first field that does not fit. */
function problems(definition: StrategyDefinition, raw: RawParameters): ParsedParameters | string {
  try {
    return parseParameters(definition, raw);
  } catch (error) {
    if (error instanceof EngineError) return error.details[0]?.path ?? 'parameters';
    throw error;
  }
}

function without(raw: RawParameters, path: readonly string[]): RawParameters {
  const [first, ...rest] = path;
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (first === undefined || (name !== first && name !== camelName(first))) kept[name] = value;
    else if (rest.length > 0 && typeof value === 'object' && value !== null) {
      kept[name] = without(value as RawParameters, rest);
    }
  }
  return kept;
}

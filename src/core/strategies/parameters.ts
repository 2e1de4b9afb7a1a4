/** Parameters as sent → parameters as a type's schema has them, with what was ignored and what is wrong. */
import { z } from 'zod';
import { EngineError, type ErrorDetail } from '../domain/errors';
import { limits } from '../domain/limits';
import type { CommonParameters, StrategyDefinition } from './strategy';

/** What was sent, by name. */
export type RawParameters = Readonly<Record<string, unknown>>;

export interface ParsedParameters {
  readonly parameters: CommonParameters;
  /** One sentence for each name that was ignored. */
  readonly warnings: readonly string[];
}

/** A JSON Schema of one parameter, as far as our schemas use it. */
export interface PropertySchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
}

/** `fastPeriod` → `fast_period`: names in messages are those that the outside sends. */
export function snakeName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `fast_period` → `fastPeriod`. */
export function camelName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const propertiesOf = new WeakMap<z.ZodObject, Readonly<Record<string, PropertySchema>>>();

/** JSON Schema of each parameter, by its camelCase name. */
export function parameterSchemas(schema: z.ZodObject): Readonly<Record<string, PropertySchema>> {
  const known = propertiesOf.get(schema);
  if (known) return known;
  const { properties } = z.toJSONSchema(schema, { io: 'input' }) as {
    readonly properties?: Readonly<Record<string, PropertySchema>>;
  };
  const made = properties ?? {};
  propertiesOf.set(schema, made);
  return made;
}

/**
 * Checks parameters against a type's schema and fills in defaults. Names may be camelCase or snake_case. Unknown names
 * are ignored, with a warning naming them; a family hands flat names to every member that has them.
 * @throws EngineError `ValueError` with paths such as `parameters.fast_period`, naming bounds and what was received.
 */
export function parseParameters(definition: StrategyDefinition, raw: RawParameters): ParsedParameters {
  const { known, unknown, flat } = sort(definition, raw);
  const result = definition.parameters.safeParse(known);
  if (!result.success) throw wrong(definition, result.error.issues, known, flat);
  return { parameters: result.data, warnings: ignored(definition, unknown) };
}

/**
 * The parameters of an update: what is in force, changed by what was sent. In a family a flat name changes every member
 * that has it. Errors and warnings as `parseParameters`.
 */
export function mergeParameters(
  definition: StrategyDefinition,
  current: RawParameters,
  changes: RawParameters,
): ParsedParameters {
  const { known, unknown, flat } = sort(definition, changes);
  const base = sort(definition, current).known;
  const merged: Record<string, unknown> = { ...base, ...known };
  if (definition.memberParameters) merged.members = mergeMembers(base.members, known.members);
  const result = definition.parameters.safeParse(merged);
  if (!result.success) throw wrong(definition, result.error.issues, merged, flat);
  return { parameters: result.data, warnings: ignored(definition, unknown) };
}

function mergeMembers(base: unknown, changes: unknown): unknown {
  if (!isRecord(base) || !isRecord(changes)) return changes ?? base;
  const merged: Record<string, unknown> = { ...base };
  for (const type of Object.keys(changes)) {
    const before = merged[type];
    const after = changes[type];
    merged[type] = isRecord(before) && isRecord(after) ? { ...before, ...after } : after;
  }
  return merged;
}

interface Sorted {
  readonly known: Record<string, unknown>;
  readonly unknown: readonly string[];
  /** `type.name` of what a member got from a flat name: an error there is told under the name that was sent. */
  readonly flat: ReadonlySet<string>;
}

/** Only names of the schema are copied, so `__proto__` and its like never reach an object as keys. */
function sort(definition: StrategyDefinition, raw: RawParameters): Sorted {
  const own = pick(definition.parameters, raw, '');
  const { memberParameters } = definition;
  if (!memberParameters) return own;
  const { members, unknown, flat } = sortMembers(memberParameters, own, raw);
  return { known: { ...own.known, members }, unknown, flat };
}

function pick(schema: z.ZodObject, raw: RawParameters, prefix: string): Sorted & { readonly rest: readonly string[] } {
  const known: Record<string, unknown> = {};
  const rest: string[] = [];
  for (const sent of Object.keys(raw)) {
    const name = camelName(sent);
    if (raw[sent] === undefined) continue;
    if (Object.hasOwn(schema.shape, name)) known[name] = raw[sent];
    else rest.push(sent);
  }
  return { known, rest, unknown: rest.map((name) => prefix + name), flat: new Set() };
}

function sortMembers(
  memberParameters: ReadonlyMap<string, z.ZodObject>,
  own: Sorted & { readonly rest: readonly string[] },
  raw: RawParameters,
) {
  const flat = new Set<string>();
  const taken = new Set<string>();
  const members: Record<string, unknown> = {};
  for (const [type, schema] of memberParameters) {
    const picked = pick(schema, Object.fromEntries(own.rest.map((sent) => [sent, raw[sent]])), '');
    for (const sent of own.rest) if (!picked.rest.includes(sent)) taken.add(sent);
    for (const name of Object.keys(picked.known)) flat.add(`${type}.${name}`);
    members[type] = picked.known;
  }
  const unknown = own.rest.filter((sent) => !taken.has(sent));
  const given = own.known.members;
  if (given === undefined) return { members, unknown, flat };
  if (!isRecord(given)) return { members: given, unknown, flat };
  for (const sent of Object.keys(given)) {
    const type = memberTypeOf(memberParameters, sent);
    const schema = type === null ? undefined : memberParameters.get(type);
    if (type === null || schema === undefined) {
      unknown.push(`members.${sent}`);
      continue;
    }
    const wanted = given[sent];
    const picked = isRecord(wanted) ? pick(schema, wanted, `members.${type}.`) : null;
    unknown.push(...(picked?.unknown ?? []));
    for (const name of Object.keys(picked?.known ?? {})) flat.delete(`${type}.${name}`);
    members[type] = picked ? { ...(members[type] as Record<string, unknown>), ...picked.known } : wanted;
  }
  return { members, unknown, flat };
}

/** A member's type may have come through a mapping of names to camelCase. */
function memberTypeOf(memberParameters: ReadonlyMap<string, z.ZodObject>, sent: string): string | null {
  if (memberParameters.has(sent)) return sent;
  for (const type of memberParameters.keys()) if (camelName(type) === sent) return type;
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ignored(definition: StrategyDefinition, unknown: readonly string[]): readonly string[] {
  const named = unknown.slice(0, limits.errorDetails).map((name) => {
    const shown = name.split('.').map(snakeName).join('.').slice(0, limits.receivedChars);
    return `parameters.${shown} is not a parameter of ${definition.type} and was ignored`;
  });
  const more = unknown.length - named.length;
  return more > 0 ? [...named, `${more} more unknown parameters were ignored`] : named;
}

function wrong(
  definition: StrategyDefinition,
  issues: readonly z.core.$ZodIssue[],
  input: RawParameters,
  flat: ReadonlySet<string>,
): EngineError {
  const details = new Map<string, ErrorDetail>();
  const own = issues.filter((issue) => issue.code !== 'custom');
  // What two parameters ask of each other is only worth telling when each of them is valid.
  for (const issue of own.length > 0 ? own : issues) {
    const [first, type, name] = issue.path.map(String);
    const isFlat = first === 'members' && flat.has(`${type}.${name}`);
    const path = ['parameters', ...(isFlat ? [name] : issue.path)].map((key) => snakeName(String(key))).join('.');
    if (details.has(path)) continue;
    const schema = schemaAt(definition, issue.path);
    const message = issue.code === 'custom' ? issue.message : demand(schema, issue.message);
    details.set(path, { path, message, received: shorten(valueAt(input, issue.path) ?? schema?.default) });
  }
  const list = [...details.values()];
  const { path, message, received } = list[0] as ErrorDetail;
  const more = list.length > 1 ? ` (and ${list.length - 1} more)` : '';
  const text = `${path} ${message}, received ${JSON.stringify(received) ?? 'nothing'}${more}`;
  return new EngineError('ValueError', text, { details: list.slice(0, limits.errorDetails) });
}

function schemaAt(definition: StrategyDefinition, path: readonly PropertyKey[]): PropertySchema | undefined {
  const [first, type, name] = path.map(String);
  const member = first === 'members' && type !== undefined ? definition.memberParameters?.get(type) : undefined;
  if (member && name !== undefined) return parameterSchemas(member)[name];
  if (member) return { type: 'object' };
  return path.length === 1 && first !== undefined ? parameterSchemas(definition.parameters)[first] : undefined;
}

function demand(schema: PropertySchema | undefined, otherwise: string): string {
  if (schema?.enum) return `must be one of ${schema.enum.join(', ')}`;
  const { type, minimum, maximum } = schema ?? {};
  if (type === 'boolean') return 'must be true or false';
  if (type === 'object') return 'must be an object';
  if (type !== 'integer' && type !== 'number') return `is not valid: ${otherwise}`;
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  if (minimum !== undefined && maximum !== undefined) return `must be ${kind} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `must be ${kind} of at least ${minimum}`;
  return maximum === undefined ? `must be ${kind}` : `must be ${kind} of at most ${maximum}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[String(key)];
  }
  return value;
}

/** What was received, bounded, and as JSON can hold it. */
function shorten(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, limits.receivedChars);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null || value === undefined) return value;
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/**
 * The contract test of strategies, for the built-in ones and for users' own: `strategyContract(definition)` throws an
 * error that names every promise the definition breaks. Needs no test runner.
 */
import type { Bar } from './core/domain/bar';
import { limits } from './core/domain/limits';
import { type Answer, createDrive, driveBar, reload } from './core/strategies/drive';
import { parameterSchemas, parseParameters, snakeName } from './core/strategies/parameters';
import { sampleBar, sampleBars } from './core/strategies/sample-bars';
import { type CommonParameters, type IntentSlot, type StrategyDefinition, stepCode } from './core/strategies/strategy';

export type { Bar } from './core/domain/bar';
export { sampleBars } from './core/strategies/sample-bars';
export type { BarStrategyDefinition, StrategyDefinition, TickStrategyDefinition } from './core/strategies/strategy';

/** A definition, or a function that makes one from the bars it is about to see (then looking ahead can be caught). */
export type StrategySource = StrategyDefinition | ((bars: readonly Bar[]) => StrategyDefinition);

/** One promise of the contract, and whether it was kept. */
export interface StrategyCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found when it was broken; empty otherwise. */
  readonly message: string;
}

interface Case {
  readonly make: (bars: readonly Bar[]) => StrategyDefinition;
  readonly definition: StrategyDefinition;
  readonly parameters: CommonParameters;
  readonly bars: readonly Bar[];
}

/** Each answers what is wrong, or nothing. */
const promises: readonly (readonly [string, (test: Case) => string | undefined])[] = [
  ['it describes itself and its parameters', describesItself],
  ['its state is plain, finite and of one shape', stateIsPlain],
  ['its state stays finite in a market that stands still, leaps or has no volume', stateSurvives],
  ['the same bars give the same decisions', isDeterministic],
  ['two instances share nothing', sharesNothing],
  ['it warms up for as long as it says', warmsUpHonestly],
  ['restored from its bytes it decides as if never stopped', restoresExactly],
  ['it does not look ahead', doesNotLookAhead],
  ['it leaves the bars as they are', leavesBars],
  ['its proposals are in range', proposesInRange],
  ['its reasons can be read', reasonsRender],
];

/**
 * Holds a strategy to its contract over `bars` (oldest first; without them, a made-up market of 1,200 bars) with
 * `parameters` (its defaults). Answers one result per promise and throws nothing.
 */
export function checkStrategy(
  source: StrategySource,
  bars: readonly Bar[] = sampleBars(),
  parameters: Readonly<Record<string, unknown>> = {},
): readonly StrategyCheck[] {
  const make = typeof source === 'function' ? source : () => source;
  const frozen = bars.map(sealed);
  let test: Case;
  try {
    const definition = make(frozen);
    test = { make, definition, parameters: parseParameters(definition, parameters).parameters, bars: frozen };
  } catch (thrown) {
    return [{ name: 'it can be made with these parameters', ok: false, message: String(thrown) }];
  }
  return promises.map(([name, check]) => {
    try {
      const message = check(test);
      return { name, ok: message === undefined, message: message ?? '' };
    } catch (thrown) {
      return { name, ok: false, message: `it threw: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
    }
  });
}

/** As `checkStrategy`. @throws Error that lists every broken promise. */
export function strategyContract(
  source: StrategySource,
  bars?: readonly Bar[],
  parameters?: Readonly<Record<string, unknown>>,
): readonly StrategyCheck[] {
  const checks = checkStrategy(source, bars, parameters);
  const broken = checks.filter((check) => !check.ok).map((check) => `- ${check.name}: ${check.message}`);
  if (broken.length > 0) throw new Error(`the strategy breaks its contract\n${broken.join('\n')}`);
  return checks;
}

/** A copy with nothing beside a bar's own fields, that cannot be written to. */
function sealed(bar: Bar): Bar {
  const { symbol, timeframe, openMs, endMs, open, high, low, close, volume, ticks, conflated } = bar;
  return Object.freeze({ symbol, timeframe, openMs, endMs, open, high, low, close, volume, ticks, conflated });
}

function answersOf(test: Case, definition = test.definition, bars = test.bars, takes = true): readonly Answer[] {
  const drive = createDrive(definition, test.parameters, takes);
  return bars.map((bar) => driveBar(drive, bar));
}

function describesItself({ definition }: Case): string | undefined {
  const { type, family, description, parameters, reasons } = definition;
  if (!/^[a-z][a-z0-9_]*$/.test(type)) return `type "${type}" is not snake_case`;
  if (family === '' || description === '') return 'family or description is empty';
  if (reasons.length === 0) return 'it has no reasons';
  const schemas = parameterSchemas(parameters);
  for (const name of ['confidenceThreshold', 'riskTolerance', 'cooldownMs']) {
    if (!Object.hasOwn(schemas, name)) return `parameter ${snakeName(name)} is missing`;
  }
  for (const [name, { type: kind, default: value, description: words, minimum, maximum }] of Object.entries(schemas)) {
    if (value === undefined || !words) return `parameter ${snakeName(name)} lacks a default or a description`;
    const isNumber = kind === 'number' || kind === 'integer';
    if (isNumber && (minimum === undefined || maximum === undefined))
      return `parameter ${snakeName(name)} lacks bounds`;
  }
  return parameters.safeParse({}).success ? undefined : 'its defaults are not valid';
}

/** Field paths of a state with what each is; a string when something in it is not allowed. */
function fieldsOf(state: unknown, path = '', depth = 1): readonly string[] | string {
  if (typeof state === 'number') return Number.isFinite(state) ? [path] : `${path} is ${state}`;
  if (state instanceof Float64Array) {
    const at = state.findIndex((value) => !Number.isFinite(value));
    return at < 0 ? [`${path}[${state.length}]`] : `${path}[${at}] is ${state[at]}`;
  }
  if (typeof state !== 'object' || state === null || Object.getPrototypeOf(state) !== Object.prototype) {
    return `${path || 'the state'} is neither a number, a Float64Array nor a plain object`;
  }
  if (depth > limits.stateDepth) return `${path} is nested deeper than ${limits.stateDepth}`;
  const all: string[] = [];
  for (const [key, value] of Object.entries(state)) {
    const fields = fieldsOf(value, path === '' ? key : `${path}.${key}`, depth + 1);
    if (typeof fields === 'string') return fields;
    all.push(...fields);
  }
  return all;
}

/** Bars between two looks at the state. */
const lookEvery = 25;

function stateIsPlain(test: Case): string | undefined {
  return stateOver(test, test.bars);
}

function stateOver({ definition, parameters }: Case, bars: readonly Bar[]): string | undefined {
  const drive = createDrive(definition, parameters);
  const shape = fieldsOf(drive.state);
  if (typeof shape === 'string') return shape;
  for (let i = 0; i < bars.length; i++) {
    driveBar(drive, bars[i] as Bar);
    if (i % lookEvery !== 0 && i !== bars.length - 1) continue;
    const now = fieldsOf(drive.state);
    if (typeof now === 'string') return `after ${i + 1} bars ${now}`;
    if (now.join() !== shape.join()) return `after ${i + 1} bars its fields are not those it was created with`;
  }
  return undefined;
}

function stateSurvives(test: Case): string | undefined {
  const warmup = test.definition.warmup(test.parameters);
  const still = Array.from({ length: warmup + 60 }, (_, i) => sampleBar(i, 5, 5, 5, 5, 0));
  const leaping = still.map((_, i) => {
    const close = i % 7 === 0 ? 9e6 : i % 11 === 0 ? 1e-6 : 100 + (i % 3);
    return sampleBar(i, close, close, close, close, i % 2 === 0 ? 0 : 1e12);
  });
  return stateOver(test, still) ?? stateOver(test, leaping) ?? stateOver(test, [...still, ...leaping, ...still]);
}

function firstDifference(a: readonly Answer[], b: readonly Answer[], length: number): string | undefined {
  for (let i = 0; i < length; i++) {
    if (a[i]?.text !== b[i]?.text) return `bar ${i + 1} was answered ${a[i]?.text} and then ${b[i]?.text}`;
  }
  return undefined;
}

function isDeterministic(test: Case): string | undefined {
  return firstDifference(answersOf(test), answersOf(test), test.bars.length);
}

function sharesNothing(test: Case): string | undefined {
  const { definition, parameters, bars } = test;
  const alone = answersOf(test);
  const one = createDrive(definition, parameters);
  const other = createDrive(definition, parameters);
  const together = bars.map((bar, i) => {
    driveBar(other, bars[bars.length - 1 - i] as Bar);
    return driveBar(one, bar);
  });
  return firstDifference(alone, together, bars.length);
}

function warmsUpHonestly(test: Case): string | undefined {
  const warmup = test.definition.warmup(test.parameters);
  if (!Number.isSafeInteger(warmup) || warmup < 0) return `it says ${warmup} bars`;
  const answers = answersOf(test);
  const early = answers.findIndex((answer) => answer.code === stepCode.PROPOSE);
  if (early >= 0 && early + 1 < warmup) return `it says ${warmup} bars and proposed on bar ${early + 1}`;
  if (test.definition.data === 'ticks' || test.bars.length < warmup) return undefined;
  const warm = answers.findIndex((answer) => answer.code !== stepCode.WARMING) + 1;
  return warm === Math.max(1, warmup) ? undefined : `it says ${warmup} bars and was warm on bar ${warm}`;
}

/** Where the stream is stopped: around the warm-up, at proposals, and spread over the rest. */
function cutsOf(test: Case, answers: readonly Answer[]): readonly number[] {
  const { length } = test.bars;
  const proposals = answers.flatMap((answer, i) => (answer.code === stepCode.PROPOSE ? [i, i + 1] : [])).slice(0, 8);
  const spread = [0.13, 0.29, 0.41, 0.57, 0.73, 0.89].map((share) => Math.floor(share * length));
  const warmup = test.definition.warmup(test.parameters);
  return [...new Set([1, warmup, ...proposals, ...spread])].filter((cut) => cut > 0 && cut < length);
}

function restoresExactly(test: Case): string | undefined {
  const expected = answersOf(test);
  const cuts = new Set(cutsOf(test, expected));
  const drive = createDrive(test.definition, test.parameters);
  for (let i = 0; i < test.bars.length; i++) {
    if (cuts.has(i) && !reload(drive)) return `after ${i} bars its bytes do not fill a new state`;
    const { text } = driveBar(drive, test.bars[i] as Bar);
    if (text !== expected[i]?.text) return `bar ${i + 1} was answered ${text} and not ${expected[i]?.text}`;
  }
  return undefined;
}

function doesNotLookAhead(test: Case): string | undefined {
  const whole = answersOf(test, test.make(test.bars));
  for (const cut of cutsOf(test, whole)) {
    const known = test.bars.slice(0, cut);
    const difference = firstDifference(answersOf(test, test.make(known), known), whole, cut);
    if (difference) return `with ${cut} bars known ${difference} when all were known`;
  }
  return undefined;
}

function leavesBars(test: Case): string | undefined {
  const drive = createDrive(test.definition, test.parameters);
  for (let i = 0; i < test.bars.length; i++) {
    const before = test.bars[i] as Bar;
    const bar = { ...before };
    driveBar(drive, bar);
    if (JSON.stringify(bar) !== JSON.stringify(before)) return `it changed bar ${i + 1}`;
  }
  return undefined;
}

function proposesInRange(test: Case): string | undefined {
  for (const takes of [true, false]) {
    const answers = answersOf(test, test.definition, test.bars, takes);
    for (let i = 0; i < answers.length; i++) {
      const { code, intent } = answers[i] as Answer;
      if (!(code >= stepCode.WARMING && code <= stepCode.PROPOSE)) return `bar ${i + 1} was answered ${code}`;
      const wrong = intent === null ? undefined : outOfRange(intent, (test.bars[i] as Bar).close);
      if (wrong) return `on bar ${i + 1} ${wrong}`;
    }
  }
  return undefined;
}

function outOfRange(intent: IntentSlot, close: number): string | undefined {
  for (const [name, value] of Object.entries(intent)) if (!Number.isFinite(value)) return `${name} is ${value}`;
  const { side, confidence, add, stopLoss, takeProfit, volatilityRatio } = intent;
  if (side !== 1 && side !== -1 && side !== 0) return `side is ${side}`;
  if (confidence < 0 || confidence > 1) return `confidence is ${confidence}`;
  if (add !== 0 && add !== 1) return `add is ${add}`;
  if (volatilityRatio < 0) return `volatilityRatio is ${volatilityRatio}`;
  if (stopLoss !== 0 && side * (close - stopLoss) <= 0) return `the stop ${stopLoss} is not beyond ${close}`;
  if (takeProfit !== 0 && side * (takeProfit - close) <= 0) return `the target ${takeProfit} is not beyond ${close}`;
  return undefined;
}

function reasonsRender(test: Case): string | undefined {
  for (const { intent } of answersOf(test)) {
    if (intent === null) continue;
    const words = test.definition.reasons[intent.reason]?.(intent.a, intent.b, intent.c, intent.d);
    if (!words || /NaN|undefined|Infinity/.test(words)) return `reason ${intent.reason} reads "${words}"`;
  }
  return undefined;
}

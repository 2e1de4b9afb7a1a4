/**
 * Drives one strategy over bars without an engine: each proposal is taken (or refused) by a position on paper, and each
 * answer is kept as text, so that two runs can be compared. For contract tests; the engine has its own loop.
 */
import type { Bar } from '../domain/bar';
import { StateReader, StateWriter } from '../domain/state-codec';
import type { Tick } from '../domain/tick';
import { createPaperPosition, movePaper, type PaperPosition, placePaper, tellPaper } from './paper-position';
import {
  type CommonParameters,
  type IntentSlot,
  type StateShape,
  type StepCode,
  type StepContext,
  type StrategyDefinition,
  stepCode,
} from './strategy';

/** One answer of a strategy to one bar. */
export interface Answer {
  readonly code: StepCode;
  /** What it wrote; only of a proposal. */
  readonly intent: Readonly<IntentSlot> | null;
  /** Code and intent, to compare. */
  readonly text: string;
}

/** A strategy at work on one series. */
export interface Drive {
  readonly definition: StrategyDefinition;
  readonly parameters: CommonParameters;
  readonly paper: PaperPosition;
  readonly context: StepContext;
  readonly takes: boolean;
  readonly returns: number[];
  state: StateShape;
  previousClose: number;
  desired: number;
}

/** `takes` false refuses every proposal, as an engine whose gates are shut. */
export function createDrive(definition: StrategyDefinition, parameters: CommonParameters, takes = true): Drive {
  const context = { exposure: 0, entryPrice: 0, age: 0, trendT: 0, volatilityRatio: 1 };
  const paper = createPaperPosition();
  const state = definition.create(parameters);
  return { definition, parameters, paper, context, takes, returns: [], state, previousClose: 0, desired: 0 };
}

/** Bars of the trend statistic, as the engine's features have it. */
const trendBars = 60;

/** Gives it one bar; a tick type gets a tick at its close. */
export function driveBar(drive: Drive, bar: Bar): Answer {
  const { paper, context, takes } = drive;
  movePaper(paper, bar);
  tellPaper(paper, context);
  context.trendT = trendOf(drive, bar.close);
  const intent = emptyIntent();
  const code = drive.definition.data === 'bars' ? stepOnce(drive, bar, intent) : runOnce(drive, bar, intent);
  const proposes = code === stepCode.PROPOSE;
  if (proposes && takes) placePaper(paper, intent);
  const text = proposes ? `${code}:${Object.values(intent).map(String).join(',')}` : String(code);
  return { code, intent: proposes ? intent : null, text };
}

/** Replaces its state by what comes back from its bytes; false when something was lost on the way. */
export function reload(drive: Drive): boolean {
  const writer = new StateWriter();
  writer.shape(drive.state);
  drive.state = drive.definition.create(drive.parameters);
  return new StateReader(writer.bytes()).shape(drive.state).complete;
}

function emptyIntent(): IntentSlot {
  const levels = { side: 0, score: 0, confidence: 0, stopLoss: 0, takeProfit: 0, add: 0, volatilityRatio: 0 };
  return { ...levels, reason: 0, a: 0, b: 0, c: 0, d: 0 };
}

function stepOnce(drive: Drive, bar: Bar, intent: IntentSlot): StepCode {
  const { definition, state, parameters, context } = drive;
  return definition.data === 'bars' ? definition.step(state, bar, parameters, context, intent) : stepCode.HOLD;
}

function runOnce(drive: Drive, bar: Bar, slot: IntentSlot): StepCode {
  const { definition, parameters, context } = drive;
  if (definition.data !== 'ticks') return stepCode.HOLD;
  const instance = { state: drive.state, parameters, context, desired: drive.desired };
  let pushed = 0;
  definition.run([instance], tickOf(bar), { slot, push: () => pushed++ });
  drive.desired = instance.desired;
  return pushed > 0 ? stepCode.PROPOSE : stepCode.HOLD;
}

function tickOf(bar: Bar): Tick {
  const market = { symbol: bar.symbol, source: 'drive', timestampMs: bar.endMs, stamped: true };
  const trade = { price: bar.close, volume: bar.volume, quote: null, assetType: null, extras: null };
  return { kind: 'tick', ...market, ...trade };
}

/** t statistic of the mean log return; 0 before `trendBars` of them. */
function trendOf(drive: Drive, close: number): number {
  const { returns, previousClose } = drive;
  drive.previousClose = close;
  if (previousClose > 0 && close > 0) returns.push(Math.log(close / previousClose));
  if (returns.length > trendBars) returns.shift();
  if (returns.length < trendBars) return 0;
  let sum = 0;
  let square = 0;
  for (const one of returns) {
    sum += one;
    square += one * one;
  }
  const variance = (square - (sum * sum) / trendBars) / (trendBars - 1);
  return variance > 0 ? sum / trendBars / Math.sqrt(variance / trendBars) : 0;
}

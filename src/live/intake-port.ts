/** What the intake is connected to: the border in front, the evaluation behind, dead letters and alerts beside. */
import { refusedText } from '../wire/refused-text';
import type { EngineDeps } from './engine-deps';
import type { Health } from './health';
import type { IntakePort } from './intake';
import type { MarketRun } from './market-run';
import type { RunCounters } from './scrape';

export function intakePort(deps: EngineDeps, run: MarketRun, health: Health, counters: RunCounters): IntakePort {
  const { clock, logger, outputs } = deps;
  let overloaded = false;
  return {
    parse: deps.parse,
    tickOf: deps.tickOf ?? (() => null),
    evaluate({ arrivedAt, ...drained }) {
      run.evaluate({ ...drained, door: 'live', position: null }, arrivedAt);
      if (overloaded) {
        overloaded = false;
        health.report('intake', 'up', 'keeps up');
      }
    },
    rejected(message, reason, rejections) {
      counters.rejected += Math.max(1, rejections.length);
      const first = rejections[0];
      const why = first === undefined ? reason : `${reason}: ${first.path} ${first.message}`;
      const text = first === undefined ? message.text : refusedText(message.text, rejections);
      for (const output of outputs) {
        output.reject({ text, reason: why, atMs: clock.nowMs(), source: message.source }).catch((error: unknown) => {
          logger.warn('a rejected message could not be kept', { output: output.name, error: String(error) });
        });
      }
    },
    overloaded(waiting) {
      if (overloaded) return;
      overloaded = true;
      health.report('intake', 'degraded', `${waiting} messages wait; ticks are conflated into partial bars`);
    },
    logger,
  };
}

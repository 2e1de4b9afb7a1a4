/** Connects a stream to an engine: its entries are evaluated in order, and acknowledged once the engine has stored them. */
import { asEngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { Engine } from './engine-api';
import { reportState } from './feed';
import type { FeedLag, FeedState, Logger, StreamFeed, StreamRefusal } from './ports';
import { batchesOf, type ParseEntry, readEntry } from './stream-batches';

export interface StreamInput {
  readonly engine: Engine;
  readonly feed: StreamFeed;
  readonly parse: ParseEntry;
  readonly logger: Logger;
}

/** How far behind, in words: `12 entries behind, 0.4 s, 3 not acknowledged`. */
export function lagText({ entries, pending, ageMs }: FeedLag): string {
  const behind = entries === null ? '' : `${entries} entries behind, `;
  const open = pending === null || pending === 0 ? '' : `, ${pending} not acknowledged`;
  return `${behind}${(ageMs / 1_000).toFixed(1)} s${open}`;
}

/** Starts the feed: it leads while this process leads its engine, and follows otherwise. The answer closes it again. */
export async function attachStream({ engine, feed, parse, logger }: StreamInput): Promise<() => Promise<void>> {
  const component = `input:${feed.name}`;
  let state: FeedState = 'connecting';
  let message = '';
  const report = (): void => {
    const lag = feed.lag();
    const isBehind = lag !== null && lag.ageMs > limits.streamLagMs;
    const shown = state === 'up' && isBehind ? 'stale' : state;
    reportState(door, component, shown, lag === null ? message : `${message}; ${lagText(lag)}`);
  };
  const door = {
    report: (name: string, health: 'up' | 'degraded' | 'down', words: string) =>
      engine.report({ component: name, health, message: words }),
  };
  const take = (role: 'leader' | 'standby') => void (role === 'leader' ? feed.lead() : feed.follow());
  const stop = engine.onRole(take);
  const stopRewinding = engine.onRewind(() => feed.rewind());
  take(engine.role());
  await feed.start({
    cursor: () => engine.feedEntry(feed.name),
    async take(entries) {
      const refusals: StreamRefusal[] = [];
      for (const batch of batchesOf(entries, feed.name, engine.feedEntry(feed.name), parse)) {
        await evaluate(engine, batch.input, logger);
        refusals.push(...batch.refusals);
      }
      return refusals;
    },
    refusals: (entries) => entries.flatMap((entry) => readEntry(entry, feed.name, parse).refusals),
    stored: async () => (await engine.feedStored(feed.name)).entry,
    state(now, why) {
      state = now;
      message = why;
      report();
    },
    gap: (gap) => engine.reportGap(gap),
    lag(lag) {
      engine.reportLag(component, lag);
      report();
    },
  });
  return async () => {
    stop();
    stopRewinding();
    await feed.close();
    engine.forget(component);
  };
}

type Input = Parameters<Engine['processMarketData']>[0];

/** What cannot be taken now is for the reader to hand over again; a defect of ours in one batch must not end the rest. */
async function evaluate(engine: Engine, input: Input, logger: Logger): Promise<void> {
  try {
    await engine.processMarketData(input);
  } catch (thrown) {
    const error = asEngineError(thrown);
    if (error.code !== 'InternalError') throw error;
    logger.error('a batch could not be evaluated', { error: String(error.cause ?? error) });
  }
}

/** Connects a feed to an engine: its messages to the intake, its state to health, its gaps to whoever listens. */
import type { Engine } from './engine-api';
import type { Feed, FeedState } from './ports';

/** How the state of a feed stands in the summary. */
export const levels: Readonly<Record<FeedState, 'up' | 'degraded' | 'down'>> = {
  connecting: 'degraded',
  up: 'up',
  stale: 'degraded',
  down: 'down',
  closed: 'down',
};

/** Starts the feed. The answer closes it again. */
export async function attachFeed(engine: Engine, feed: Feed): Promise<() => Promise<void>> {
  const component = `input:${feed.name}`;
  await feed.start({
    message: (text, arrivalMs) => engine.intake(text, { source: feed.name, arrivalMs }),
    state: (state, message) => engine.report({ component, health: levels[state], message }),
    gap: (gap) => engine.reportGap(gap),
  });
  return async () => {
    await feed.close();
    engine.forget(component);
  };
}

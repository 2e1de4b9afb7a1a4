/** Connects a feed to an engine: its messages to the intake, its state to health, its gaps to whoever listens. */
import type { Engine } from './engine-api';
import type { Health } from './health';
import type { Feed, FeedState } from './ports';

const levels: Readonly<Record<Exclude<FeedState, 'closed'>, 'up' | 'degraded' | 'down'>> = {
  connecting: 'degraded',
  up: 'up',
  stale: 'degraded',
  down: 'down',
};

/** A connection's state as the health of a component. One that was closed on purpose is no news of its health. */
export function reportState(
  health: Pick<Health, 'report'>,
  component: string,
  state: FeedState,
  message: string,
): void {
  if (state !== 'closed') health.report(component, levels[state], message);
}

/** Starts the feed. The answer closes it again. */
export async function attachFeed(engine: Engine, feed: Feed): Promise<() => Promise<void>> {
  const component = `input:${feed.name}`;
  const health = {
    report: (name: string, level: 'up' | 'degraded' | 'down', message: string) =>
      engine.report({ component: name, health: level, message }),
  };
  await feed.start({
    message: (text, arrivalMs) => engine.intake(text, { source: feed.name, arrivalMs }),
    state: (state, message) => reportState(health, component, state, message),
    gap: (gap) => engine.reportGap(gap),
  });
  return async () => {
    await feed.close();
    engine.forget(component);
  };
}

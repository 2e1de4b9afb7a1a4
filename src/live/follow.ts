/** Follows a log that other processes append to: what one of them registers or tracks, all others know soon. */
import { EngineError } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import type { Appender } from './append';
import type { Clock, Logger } from './ports';

/** Starts following; the answer stops it. A store that does not answer is asked again; its own state says that it is away. */
export function followLog(appender: Pick<Appender, 'refresh'>, clock: Clock, logger: Logger): () => void {
  let stopped = false;
  let cancel = clock.after(limits.logFollowMs, look);

  function look(): void {
    appender
      .refresh()
      .catch((error: unknown) => logger.debug('the log cannot be followed right now', { error: String(error) }))
      .finally(() => {
        if (!stopped) cancel = clock.after(limits.logFollowMs, look);
      });
  }

  return () => {
    stopped = true;
    cancel();
  };
}

/** A verb about something that another process may have made a moment ago: looked up there before it is not found. */
export function knownElsewhere<A extends readonly unknown[], R>(
  verb: (...given: A) => Promise<R>,
  appender: Pick<Appender, 'refresh'>,
): (...given: A) => Promise<R> {
  return async (...given) => {
    try {
      return await verb(...given);
    } catch (thrown) {
      if (!(thrown instanceof EngineError) || thrown.code !== 'NotFoundError') throw thrown;
      await appender.refresh();
      return verb(...given);
    }
  };
}

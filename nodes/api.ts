/** `HTTP API`: the engine served to programs outside Node-RED. */
import { z } from 'zod';
import type { Handled, HttpApi, LiveEngine } from '../src/index';
import { asEngineError, createHttpApi, EngineError, limits, systemClock } from '../src/index';
import { isGoingOn, Registry, releaseGraceMs } from './registry';
import { common, type Definition, defineNode, type Shell, setting } from './shell';

const config = z.object({
  ...common,
  host: setting.text('127.0.0.1'),
  port: setting.number(1, 65_535, 8_000),
  bodyKib: setting.number(1, 5_120, 1_024),
  ratePerS: setting.optional(0, 100_000),
  origins: setting.words(),
});
type Config = z.output<typeof config>;

/** A server, whom it serves, and whoever wants to hear what it answered: it outlives the node that opened it. */
interface Served {
  readonly api: HttpApi;
  readonly listeners: Set<(handled: Handled) => void>;
  /** The engine of this moment, or why there is none yet. */
  behind: LiveEngine | EngineError;
}

const servers = new Registry<Served>(({ api }) => api.close());

const opening = new EngineError('ConnectionError', 'the engine is being opened', { retryAfterS: 1 });

function lease(shell: Shell<Config>) {
  const { port, bodyKib, ratePerS, origins, engine } = shell.config;
  const host = shell.config.host === '' ? '127.0.0.1' : shell.config.host;
  const { token } = shell.node.credentials as { token?: string };
  const settings = { host, port, token, bodyKib, ratePerS, origins, engine };
  return servers.acquire(`${host}:${port}`, settings, async () => {
    const listeners: Served['listeners'] = new Set();
    const source = (): LiveEngine | EngineError => served?.behind ?? opening;
    let served: Served | null = null;
    const api = await createHttpApi({
      engine: source,
      host,
      port,
      ...(token ? { token } : {}),
      bodyLimitBytes: bodyKib * 1_024,
      ...(ratePerS === null ? {} : { rateLimit: ratePerS === 0 ? false : ratePerS }),
      ...(origins.length > 0 ? { corsOrigins: origins } : {}),
      clock: systemClock,
      logger: shell.log,
      onHandled: (handled) => {
        for (const listener of listeners) listener(handled);
      },
    });
    served = { api, listeners, behind: opening };
    return served;
  });
}

/** From now on the server is this engine's. */
function put(served: Served, engine: LiveEngine): void {
  const { behind, api } = served;
  if (behind === engine) return;
  if (!(behind instanceof EngineError)) behind.forget('http');
  served.behind = engine;
  engine.report({ component: 'http', health: 'up', message: `listening on ${api.address}:${api.port}` });
}

function isTaken(thrown: unknown): boolean {
  return (
    (asEngineError(thrown).cause as { code?: unknown } | undefined)?.code === 'EADDRINUSE' ||
    (thrown as { code?: unknown } | null)?.code === 'EADDRINUSE'
  );
}

export const definition: Definition<typeof config> = {
  type: 'strategy-engine-api',
  version: 1,
  config,
  credentials: { token: { type: 'password' } },
  ports: { count: 1 },
  open(shell) {
    const { port } = shell.config;
    let served = 0;
    let release: () => Promise<void> = async () => {};

    function tell(handled: Handled): void {
      const { method, route, status, requestId, body } = handled;
      served++;
      shell.status('green', `:${port} · ${served} req`);
      shell.node.send({ topic: route ?? 'none', payload: { method, route, status, request_id: requestId, body } });
    }

    async function serve(delayMs: number): Promise<void> {
      const leased = lease(shell);
      release = () => leased.release(releaseGraceMs());
      try {
        if (leased.settingsDiffer)
          throw new EngineError('ConnectionError', `port ${port} is served by another node with other settings`);
        const served = await leased.value;
        if (shell.isClosed) return;
        served.listeners.add(tell);
        shell.onClose(() => served.listeners.delete(tell));
        shell.status('yellow', `:${port} · no engine`, 'ring');
        behindIt(served);
      } catch (thrown) {
        await leased.release(releaseGraceMs());
        if (shell.isClosed) return;
        const taken = leased.settingsDiffer || isTaken(thrown);
        if (!taken && asEngineError(thrown).code === 'ValueError') {
          shell.status('red', 'check settings', 'ring');
          throw thrown;
        }
        shell.status('red', taken ? `port ${port} taken` : 'cannot listen', 'ring');
        shell.fail(taken ? new EngineError('ConnectionError', `port ${port} is taken; trying again`) : thrown, 'api');
        shell.after(delayMs, () => serve(Math.min(delayMs * 2, limits.nodeRetryMaxMs)));
      }
    }

    /** Until the engine can be opened, every call is told why it is not. */
    function behindIt(served: Served): void {
      shell.whenEngine(
        (engine) => {
          put(served, engine);
          shell.status('green', `:${port}`);
        },
        (thrown) => {
          const { code, message } = asEngineError(thrown);
          const text =
            code === 'InternalError' ? 'the engine cannot be opened' : `the engine cannot be opened: ${message}`;
          served.behind = new EngineError('ConnectionError', text, { retryAfterS: 1 });
        },
      );
    }

    shell.status('yellow', 'starting', 'ring');
    shell.background('api', () => serve(limits.nodeRetryMs));
    return {
      async close() {
        // A deploy that goes on finds the server where it was.
        const released = release();
        if (!isGoingOn()) await released;
      },
    };
  },
};

export default defineNode(definition);

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

function put(served: Served, now: LiveEngine | EngineError): void {
  const { behind, api } = served;
  if (behind === now) return;
  if (!(behind instanceof EngineError)) behind.forget('http');
  served.behind = now;
  if (!(now instanceof EngineError))
    now.report({ component: 'http', health: 'up', message: `listening on ${api.address}:${api.port}` });
}

/** Why there is no engine, for whoever calls. */
function noEngine(thrown: unknown): EngineError {
  const { code, message } = asEngineError(thrown);
  const why = code === 'InternalError' ? '' : `: ${message}`;
  return new EngineError('ConnectionError', `the engine cannot be opened${why}`, { retryAfterS: 1 });
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
    let answered = 0;
    let release: () => Promise<void> = async () => {};
    let behind: LiveEngine | EngineError = opening;
    let served: Served | null = null;
    let begun = false;

    function tell(handled: Handled): void {
      const { method, route, status, requestId, body } = handled;
      answered++;
      shell.status('green', `:${port} · ${answered} req`);
      shell.node.send({ topic: route ?? 'none', payload: { method, route, status, request_id: requestId, body } });
    }

    async function serve(delayMs: number): Promise<void> {
      const leased = lease(shell);
      release = () => leased.release(releaseGraceMs());
      try {
        if (leased.settingsDiffer)
          throw new EngineError('ConnectionError', `port ${port} is served by another node with other settings`);
        served = await leased.value;
        const { listeners } = served;
        if (shell.isClosed) return;
        listeners.add(tell);
        shell.onClose(() => listeners.delete(tell));
        stand(behind);
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

    /** What is behind the server from now on: an engine, or why there is none, which every call is told. */
    function stand(now: LiveEngine | EngineError): void {
      behind = now;
      if (served === null) return;
      put(served, now);
      if (now instanceof EngineError) shell.status('yellow', `:${port} · no engine`, 'ring');
      else shell.status('green', `:${port}`);
    }

    /** It listens when it is known whether there is an engine: who can connect need not ask again a moment later. */
    function begin(now: LiveEngine | EngineError): void {
      stand(now);
      if (begun) return;
      begun = true;
      shell.background('api', () => serve(limits.nodeRetryMs));
    }

    shell.status('yellow', 'starting', 'ring');
    shell.whenEngine(begin, (thrown) => begin(noEngine(thrown)));
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

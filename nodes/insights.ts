/** `insights`: what the engine knows, when asked, every so often, or when it changes. */
import { z } from 'zod';
import type { LiveEngine, Reply } from '../src/index';
import { EngineError, limits, positionToWire } from '../src/index';
import { ask, type Call, named, replied, required } from './request';
import { common, type Definition, defineNode, type Message, type Shell, sequence, setting } from './shell';

const views = ['insights', 'summary', 'performance', 'curve', 'decisions', 'funnel', 'positions'] as const;
type View = (typeof views)[number];

const config = z.object({
  ...common,
  view: setting.choice([...views, 'message'], 'insights'),
  strategyId: setting.text(),
  symbol: setting.text(),
  format: setting.choice(['body', 'chart'], 'body'),
  trigger: setting.choice(['message', 'interval', 'change'], 'message'),
  intervalS: setting.number(1, 86_400, 10),
});
type Config = z.output<typeof config>;

const message = z.object({ view: z.string().optional() });

/** What moves by itself, so that "changed" means something. */
const volatile = new Set(['last_update', 'uptime_s', 'timestamp', 'execution_time_ms', 'ticks_per_s']);

function callOf(view: View, msg: Message, settings: Config, actor: string): Call {
  const id = encodeURIComponent(named(msg, 'strategy_id', settings.strategyId));
  const symbol = named(msg, 'symbol', settings.symbol).toUpperCase();
  const bySymbol = symbol === '' ? {} : { symbol };
  switch (view) {
    case 'insights':
      return { method: 'GET', path: '/api/learning/insights', query: bySymbol, actor };
    case 'summary':
      return { method: 'GET', path: '/api/strategy_engine/summary', actor };
    case 'decisions':
    case 'funnel': {
      const one = encodeURIComponent(required(msg, 'strategy_id', settings.strategyId));
      return { method: 'GET', path: `/api/strategy/${one}/decisions`, query: bySymbol, actor };
    }
    default: {
      const query: Record<string, unknown> = view === 'curve' ? { curve: true } : {};
      for (const name of ['since', 'until', 'by', 'curve', 'benchmark']) {
        const value = named(msg, name, '');
        if (value !== '') query[name] = value;
      }
      return { method: 'GET', path: id === '' ? '/api/performance' : `/api/performance/${id}`, query, actor };
    }
  }
}

function positionsReply(engine: LiveEngine, msg: Message, settings: Config): Reply {
  const strategyId = named(msg, 'strategy_id', settings.strategyId);
  const symbol = named(msg, 'symbol', settings.symbol).toUpperCase();
  const wanted = engine
    .positions()
    .filter((one) => (strategyId === '' || one.strategyId === strategyId) && (symbol === '' || one.symbol === symbol));
  return {
    statusCode: 200,
    headers: {},
    body: { status: 'success', positions: wanted.map(positionToWire) },
    error: null,
  };
}

async function look(shell: Shell<Config>, engine: LiveEngine, view: View, msg: Message): Promise<Reply> {
  if (view === 'positions') return positionsReply(engine, msg, shell.config);
  const reply = await ask(engine, msg, callOf(view, msg, shell.config, `node:${shell.node.id}`));
  if (view !== 'funnel') return reply;
  const { status, strategy_id, funnel } = reply.body as Record<string, unknown>;
  return { ...reply, body: { status, strategy_id, funnel } };
}

/** At most `limits.chartPoints` of them, the first and the last among them. */
function thinned<T>(points: readonly T[]): readonly T[] {
  if (points.length <= limits.chartPoints) return points;
  const step = (points.length - 1) / (limits.chartPoints - 1);
  return Array.from({ length: limits.chartPoints }, (_, index) => points[Math.round(index * step)] as T);
}

/** A curve as one message of points; other views as one message for each of their numbers. */
function chartMessages(view: View, body: unknown, msg: Message, topic: string): readonly Message[] {
  const { curve, metrics } = body as { curve?: readonly { timestamp: string; pnl: number }[]; metrics?: object };
  if (view === 'curve') {
    const points = (curve ?? []).map(({ timestamp, pnl }) => ({ x: Date.parse(timestamp), y: pnl }));
    return [{ ...msg, topic, payload: thinned(points) }];
  }
  const x = Date.now();
  const numbers = Object.entries(metrics ?? (body as object)).filter(([, value]) => typeof value === 'number');
  const messages = numbers.slice(0, limits.chartPoints).map(([name, y]) => ({ topic: name, payload: { x, y } }));
  return sequence(messages, String(msg._msgid ?? x));
}

function markOf(body: unknown): string {
  return JSON.stringify(body, (key, value: unknown) => (volatile.has(key) ? undefined : value));
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-insights',
  version: 1,
  config,
  message,
  ports: { count: 1, result: 0 },
  open(shell) {
    const { format, trigger, intervalS } = shell.config;
    let last = '';

    function viewOf(msg: Message): View {
      const wanted = shell.config.view === 'message' ? named(msg, 'view', '') : shell.config.view;
      const view = views.find((one) => one === wanted);
      if (view) return view;
      const reason = `must be one of ${views.join(', ')}`;
      throw new EngineError('ValueError', `view ${reason}`, {
        details: [{ path: 'view', message: reason, received: wanted }],
      });
    }

    function messagesOf(view: View, reply: Reply, msg: Message): readonly Message[] {
      const topic = named(msg, 'strategy_id', shell.config.strategyId) || view;
      shell.status('green', view);
      return format === 'chart' ? chartMessages(view, reply.body, msg, topic) : [replied(msg, reply, { topic })];
    }

    async function lookByItself(): Promise<void> {
      try {
        const view = viewOf({});
        const reply = await look(shell, await shell.engine(), view, {});
        const mark = trigger === 'change' ? markOf(reply.body) : '';
        if (trigger === 'change' && mark === last) return;
        last = mark;
        if (!shell.isClosed) shell.node.send([[...messagesOf(view, reply, {})]]);
      } catch (thrown) {
        shell.status('red', 'no answer', 'ring');
        shell.fail(thrown, 'insights');
      }
    }

    shell.status('grey', 'ready', 'ring');
    if (trigger !== 'message') {
      shell.whenEngine(lookByItself);
      shell.every(intervalS * 1_000, lookByItself);
    }
    return {
      async input(msg, send) {
        const view = viewOf(msg);
        send([messagesOf(view, await look(shell, await shell.engine(), view, msg), msg)]);
      },
    };
  },
};

export default defineNode(definition);

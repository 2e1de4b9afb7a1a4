/** `engine events`: everything that happens in the engine, once. */
import { z } from 'zod';
import type { LiveEngine } from '../src/index';
import {
  adaptationToWire,
  alertText,
  alertToWire,
  decisionToWire,
  fillToWire,
  gapToWire,
  signalText,
  signalToWire,
  toWire,
} from '../src/index';
import { common, type Definition, defineNode, setting } from './shell';

const kinds = ['signal', 'decision', 'alert', 'adaptation', 'health', 'fill', 'gap'] as const;
type Kind = (typeof kinds)[number];

const config = z.object({
  ...common,
  kinds: z.array(z.enum(kinds)).min(1).default(['signal', 'alert']),
  strategies: setting.words(),
  symbols: setting.words(),
  format: setting.choice(['object', 'text'], 'object'),
});

export const definition: Definition<typeof config> = {
  type: 'strategy-engine-events',
  version: 1,
  config,
  ports: { count: 1 },
  open(shell) {
    const { strategies, symbols, format } = shell.config;
    const asText = format === 'text';
    const names = new Set(symbols.map((symbol) => symbol.toUpperCase()));
    let sent = 0;

    function tell(
      kind: Kind,
      about: { readonly strategyId?: string; readonly symbol?: string },
      payload: unknown,
    ): void {
      const { strategyId, symbol } = about;
      if (strategies.length > 0 && strategyId !== undefined && !strategies.includes(strategyId)) return;
      if (names.size > 0 && symbol !== undefined && !names.has(symbol)) return;
      sent++;
      shell.status('green', `${sent} events`);
      shell.node.send({
        topic: kind,
        payload,
        ...(strategyId === undefined ? {} : { strategy_id: strategyId }),
        ...(symbol === undefined ? {} : { symbol }),
      });
    }

    const listeners: { readonly [K in Kind]: (engine: LiveEngine) => () => void } = {
      signal: (engine) =>
        engine.on('signal', (signal) => tell('signal', signal, asText ? signalText(signal) : signalToWire(signal))),
      decision: (engine) => engine.on('decision', (decision) => tell('decision', decision, decisionToWire(decision))),
      alert: (engine) =>
        engine.on('alert', (alert) => tell('alert', {}, asText ? alertText(alert) : alertToWire(alert))),
      adaptation: (engine) => engine.on('adaptation', (one) => tell('adaptation', one, adaptationToWire(one))),
      health: (engine) => engine.on('health', (health) => tell('health', {}, toWire(health))),
      fill: (engine) => engine.on('fill', (fill) => tell('fill', fill, fillToWire(fill))),
      gap: (engine) => engine.on('gap', (gap) => tell('gap', {}, gapToWire(gap))),
    };

    shell.status('grey', 'connecting', 'ring');
    shell.whenEngine((engine) => {
      for (const kind of shell.config.kinds) shell.onClose(listeners[kind](engine));
      shell.status('green', 'listening');
    });
    return {};
  },
};

export default defineNode(definition);

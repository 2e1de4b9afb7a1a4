/** `strategy apply`: market data to every strategy of the engine; signals, the contract's answer, and decisions. */
import { z } from 'zod';
import { marketResultToWire } from '../src/index';
import { DecisionPort, marketMessage, marketOf, readMarket, signalMessages } from './market';
import { answer, common, type Definition, defineNode, requestIdOf, setting } from './shell';

const config = z.object({
  ...common,
  strategies: setting.words(),
  symbols: setting.words(),
  format: setting.choice(['object', 'text'], 'object'),
  decisions: setting.choice(['off', 'changes', 'all'], 'off'),
});

export const definition: Definition<typeof config, typeof marketMessage> = {
  type: 'strategy-engine-strategy-apply',
  version: 1,
  config,
  message: marketMessage,
  ports: { count: 3, result: 1 },
  open(shell) {
    const { strategies, symbols, format } = shell.config;
    const names = new Set(symbols.map((symbol) => symbol.toUpperCase()));
    const isWanted = (one: { readonly strategyId: string; readonly symbol: string }) =>
      (strategies.length === 0 || strategies.includes(one.strategyId)) && (names.size === 0 || names.has(one.symbol));
    const decisions = new DecisionPort(shell.config.decisions);
    let signals = 0;
    shell.status('grey', 'ready', 'ring');
    return {
      async input(msg, send) {
        const engine = await shell.engine();
        const result = await marketOf(engine).process(readMarket(engine, msg));
        const wanted = result.signals.filter(isWanted);
        signals += wanted.length;
        if (engine.role() === 'standby') shell.status('blue', 'standby', 'ring');
        else shell.status('green', `${signals} sig · ${Math.ceil(result.executionTimeMs)} ms`);
        send([
          signalMessages(msg, wanted, format),
          answer(
            msg,
            { status: 'success', ...marketResultToWire(result) },
            { statusCode: 200, headers: { 'x-request-id': requestIdOf(msg) } },
          ),
          decisions.messages(msg, result.decisions.filter(isWanted)),
        ]);
      },
    };
  },
};

export default defineNode(definition);

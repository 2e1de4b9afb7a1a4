/** `performance track`: executions in, metrics out. */
import { z } from 'zod';
import type { LiveEngine } from '../src/index';
import { asEngineError, EngineError, errorBody, executionForms, foreignExecution, limits } from '../src/index';
import { ask, named, replied } from './request';
import { answer, common, type Definition, defineNode, type Message, requestIdOf, setting } from './shell';

const config = z.object({
  ...common,
  preset: setting.choice(executionForms, 'own'),
  strategyId: setting.text(),
});

const message = z.object({ strategy_id: z.string().optional() });

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-performance-track',
  version: 1,
  config,
  message,
  ports: { count: 1, result: 0 },
  open(shell) {
    const { preset, strategyId } = shell.config;
    const path = '/api/performance/track';
    let tracked = 0;
    shell.status('grey', 'ready', 'ring');

    async function track(engine: LiveEngine, msg: Message, payload: unknown) {
      const made = foreignExecution(preset, payload, { pnl: msg.pnl, arrivalMs: Date.now() });
      const named_ = strategyId !== '' ? strategyId : named({ ...msg, payload: made }, 'strategy_id', '');
      const body = typeof made === 'object' && made !== null && named_ !== '' ? { ...made, strategy_id: named_ } : made;
      const reply = await ask(engine, msg, { method: 'POST', path, body, actor: `node:${shell.node.id}` });
      tracked++;
      return { reply, topic: named_, duplicate: (reply.body as { duplicate?: boolean }).duplicate === true };
    }

    /** Each on its own: one that is refused does not take the others with it, and says so in its place. */
    async function trackAll(engine: LiveEngine, msg: Message, list: readonly unknown[]): Promise<Message> {
      if (list.length > limits.pageMax)
        throw new EngineError('PayloadTooLargeError', `payload must have at most ${limits.pageMax} executions`);
      const results: unknown[] = [];
      let refused = 0;
      for (const payload of list) {
        try {
          results.push((await track(engine, msg, payload)).reply.body);
        } catch (thrown) {
          refused++;
          results.push(errorBody(asEngineError(thrown), requestIdOf(msg), Date.now()));
        }
      }
      const body = { status: 'success', tracked: list.length - refused, refused, results };
      return answer(msg, body, { statusCode: 200 });
    }

    return {
      async input(msg, send) {
        const engine = await shell.engine();
        if (Array.isArray(msg.payload)) send([await trackAll(engine, msg, msg.payload)]);
        else {
          const { reply, topic, duplicate } = await track(engine, msg, msg.payload);
          send([replied(msg, reply, { topic, duplicate })]);
        }
        shell.status('green', `${tracked} tracked`);
      },
    };
  },
};

export default defineNode(definition);

/** `strategy manage`: the life of strategies by message, as over HTTP. */
import { z } from 'zod';
import { EngineError } from '../src/index';
import { dealWithLetters, letterOperations } from './dead-letters';
import { ask, bodyOf, type Call, named, replied, required } from './request';
import { common, type Definition, defineNode, type Message, setting } from './shell';

const operations = [
  'register',
  'update',
  'pause',
  'resume',
  'delete',
  'get',
  'list',
  'versions',
  'rollback',
  'decisions',
  'types',
] as const;
type Operation = (typeof operations)[number];
const all = [...operations, ...letterOperations] as const;

const config = z.object({
  ...common,
  operation: setting.choice(['message', ...all], 'message'),
  strategyId: setting.text(),
});

const message = z.object({ operation: z.string().optional(), strategy_id: z.string().optional() });

function queryOf(msg: Message): Readonly<Record<string, unknown>> {
  const { req } = msg as { req?: { query?: Readonly<Record<string, unknown>> } };
  const { limit, cursor, symbol } = { ...bodyOf(msg), ...req?.query };
  return Object.fromEntries(Object.entries({ limit, cursor, symbol }).filter(([, value]) => value !== undefined));
}

function callOf(operation: Operation, msg: Message, configured: string, actor: string): Call {
  const one = () => `/api/strategy/${encodeURIComponent(required(msg, 'strategy_id', configured))}`;
  const body = bodyOf(msg);
  switch (operation) {
    case 'register':
      return { method: 'POST', path: '/api/strategy/register', body: msg.payload, actor };
    case 'update':
      return { method: 'PUT', path: one(), body, actor };
    case 'pause':
    case 'resume':
      return { method: 'PUT', path: one(), body: { state: operation === 'pause' ? 'paused' : 'active' }, actor };
    case 'delete':
      return { method: 'DELETE', path: one(), actor };
    case 'get':
      return { method: 'GET', path: one(), actor };
    case 'list':
      return { method: 'GET', path: '/api/strategy', query: queryOf(msg), actor };
    case 'versions':
      return { method: 'GET', path: `${one()}/versions`, actor };
    case 'rollback':
      return { method: 'POST', path: `${one()}/rollback`, body, actor };
    case 'decisions':
      return { method: 'GET', path: `${one()}/decisions`, query: queryOf(msg), actor };
    default:
      return { method: 'GET', path: '/api/strategy/types', actor };
  }
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-strategy-manage',
  version: 1,
  config,
  message,
  inOrder: true,
  ports: { count: 1, result: 0 },
  open(shell) {
    shell.status('grey', 'ready', 'ring');
    const { strategyId } = shell.config;
    return {
      async input(msg, send) {
        const wanted = shell.config.operation === 'message' ? named(msg, 'operation', '') : shell.config.operation;
        const letters = letterOperations.find((one) => one === wanted);
        if (letters) {
          send([await dealWithLetters(shell, letters, msg)]);
          shell.status('green', letters === 'dead_letters' ? 'dead letters' : 'put back');
          return;
        }
        const operation = operations.find((one) => one === wanted);
        if (!operation)
          throw new EngineError('ValueError', `operation must be one of ${all.join(', ')}`, {
            details: [{ path: 'operation', message: `must be one of ${all.join(', ')}`, received: wanted }],
          });
        const call = callOf(operation, msg, strategyId, `node:${shell.node.id}`);
        const reply = await ask(await shell.engine(), msg, call);
        const answered = (reply.body as { strategy_id?: unknown }).strategy_id;
        const topic = typeof answered === 'string' ? answered : named(msg, 'strategy_id', strategyId) || operation;
        shell.status('green', operation);
        send([replied(msg, reply, { topic })]);
      },
    };
  },
};

export default defineNode(definition);

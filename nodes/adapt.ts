/** `adapt`: parameters proposed, changed and changed back, each with its evidence. */
import { z } from 'zod';
import type { AdaptationView } from '../src/index';
import { adaptationToWire, EngineError } from '../src/index';
import { ask, bodyOf, type Call, named, replied, required } from './request';
import { common, type Definition, defineNode, type Message, setting } from './shell';

const operations = ['propose', 'force', 'revert', 'freeze', 'unfreeze', 'list'] as const;
type Operation = (typeof operations)[number];

const config = z.object({
  ...common,
  operation: setting.choice(['message', ...operations], 'message'),
  scope: setting.choice(['message', 'strategy', 'type'], 'message'),
  target: setting.text(),
});
type Config = z.output<typeof config>;

const message = z.object({ operation: z.string().optional() });

function forceBody(msg: Message, { scope, target }: Config, isDry: boolean): Readonly<Record<string, unknown>> {
  const body = bodyOf(msg);
  const scoped =
    scope === 'message'
      ? { strategy_id: named(msg, 'strategy_id', ''), strategy_type: named(msg, 'strategy_type', '') }
      : { strategy_id: scope === 'strategy' ? target : '', strategy_type: scope === 'type' ? target : '' };
  const given = Object.entries(scoped).filter(([, value]) => value !== '');
  const { strategy_id: _id, strategy_type: _type, ...rest } = body;
  return { ...rest, ...Object.fromEntries(given), ...(isDry ? { dry_run: true } : {}) };
}

function callOf(operation: Operation, msg: Message, settings: Config, actor: string): Call {
  switch (operation) {
    case 'propose':
    case 'force': {
      const body = forceBody(msg, settings, operation === 'propose');
      return { method: 'POST', path: '/api/learning/force_adaptation', body, actor };
    }
    case 'revert': {
      const id = encodeURIComponent(required(msg, 'adaptation_id', ''));
      return { method: 'POST', path: `/api/learning/adaptations/${id}/revert`, body: {}, actor };
    }
    case 'list':
      return { method: 'GET', path: '/api/learning/adaptations', actor };
    default: {
      const body = { ...bodyOf(msg), frozen: operation === 'freeze' };
      return { method: 'POST', path: '/api/learning/freeze', body, actor };
    }
  }
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-adapt',
  version: 1,
  config,
  message,
  inOrder: true,
  ports: { count: 3, result: 2 },
  open(shell) {
    const { config: settings } = shell;
    let changes = 0;

    function isOurs(adaptation: AdaptationView): boolean {
      return settings.scope !== 'strategy' || adaptation.strategyId === settings.target;
    }

    function tell(adaptation: AdaptationView): void {
      if (!isOurs(adaptation)) return;
      const told = { topic: adaptation.strategyId, payload: adaptationToWire(adaptation) };
      const isChange = adaptation.applied || adaptation.stage === 'reverted';
      if (isChange) changes++;
      shell.node.send(isChange ? [null, told, null] : [told, null, null]);
      shell.status('green', `${changes} changes`);
    }

    shell.status('grey', 'ready', 'ring');
    shell.whenEngine((engine) => shell.onClose(engine.on('adaptation', tell)));
    return {
      async input(msg, send) {
        const wanted = settings.operation === 'message' ? named(msg, 'operation', '') : settings.operation;
        const operation = operations.find((one) => one === wanted);
        if (!operation)
          throw new EngineError('ValueError', `operation must be one of ${operations.join(', ')}`, {
            details: [{ path: 'operation', message: `must be one of ${operations.join(', ')}`, received: wanted }],
          });
        const reply = await ask(await shell.engine(), msg, callOf(operation, msg, settings, `node:${shell.node.id}`));
        // A dry run is no event of the engine's: its steps are told here.
        if (operation === 'propose') for (const step of stepsOf(reply.body)) send([step, null, null]);
        send([null, null, replied(msg, reply, { topic: named(msg, 'strategy_id', settings.target) || operation })]);
      },
    };
  },
};

function stepsOf(body: unknown): readonly Message[] {
  const { adaptations } = body as { adaptations?: readonly { strategy_id?: string }[] };
  return (adaptations ?? []).map((step) => ({ topic: String(step.strategy_id ?? ''), payload: step }));
}

export default defineNode(definition);

/** T11: hostile and valid requests over HTTP to every route of a living engine. `TEST_REQUESTS` says how many. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { createHttpApi } from '../../src/adapters/http/server';
import { systemClock } from '../../src/adapters/system/clock';
import { openEngine } from '../../src/compose';
import { limits } from '../../src/core/domain/limits';
import { errorResponse } from '../../src/wire/schemas/responses';
import { hostileRequests } from '../faults/hostile-requests';
import { seeded } from '../faults/proxy';
import { figure } from '../helpers/figures';
import { type Answer, call } from '../helpers/http-client';
import { logLines } from '../helpers/redis-probe';

const requests = Number(process.env.TEST_REQUESTS ?? 200_000);
const seed = Number(process.env.TEST_SEED ?? 20_260_106);
const atOnce = 32;

describe(`${requests} fuzzed requests over HTTP (seed ${seed})`, () => {
  it('crash nothing, hang nothing, and each error is one of the catalogue in JSON', async () => {
    const logger = logLines();
    const engine = await openEngine({ name: 'fuzzed', store: { kind: 'memory' }, logger });
    const api = await createHttpApi({ engine, host: '127.0.0.1', port: 0, clock: systemClock, logger });
    const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
    const next = hostileRequests(seeded(seed));
    const statuses = new Map<number, number>();
    const wrong: string[] = [];
    const routes = new Set<string>();
    let slowestMs = 0;
    let sent = 0;
    const one = async (): Promise<void> => {
      const { method, path, body, headers, isValid, route } = next();
      routes.add(route);
      const sentMs = performance.now();
      const given = { method, agent, ...(body === undefined ? {} : { body }), ...(headers ? { headers } : {}) };
      const answer: Answer | null = await call(api.port, path, given).catch(() => null);
      slowestMs = Math.max(slowestMs, performance.now() - sentMs);
      const status = answer?.status ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (answer === null) wrong.push(`${method} ${path} was not answered`);
      else if (isValid ? status !== 200 : status >= 500) wrong.push(`${method} ${path} ${body} -> ${answer.text}`);
      else if (status >= 400 && !errorResponse.safeParse(answer.body).success) wrong.push(`${status} ${answer.text}`);
    };
    const client = async (): Promise<void> => {
      while (sent < requests) {
        sent += 1;
        await one();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, client));
    agent.destroy();
    await api.close();
    await engine.close();
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), prototype);
    const told = [...statuses].sort().map(([code, count]) => `${code}: ${count}`);
    const value = `${told.join(', ')}; slowest ${Math.round(slowestMs)} ms`;
    const what = `${requests} hostile and valid requests on ${routes.size} routes`;
    const met = wrong.length === 0 && slowestMs < limits.requestMs && routes.size >= 8;
    assert.ok(
      figure('T11', what, value, '0 crashes, 0 of 5xx, valid ones 200', met, { seed }),
      wrong.slice(0, 5).join('\n'),
    );
  });
});

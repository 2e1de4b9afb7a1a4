/** Our own admin routes under Node-RED's `adminAuth`: nobody without the permission gets an answer out of them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOwnNodeRed } from '../helpers/own-node-red';
import type { FlowNode } from '../helpers/package';
import { root } from '../helpers/repository';

const routes: readonly (readonly [method: 'GET' | 'POST', path: string])[] = [
  ['GET', '/strategy-engine/types'],
  ['GET', '/strategy-engine/state/engine'],
  ['POST', '/strategy-engine/replay/replay'],
];

const password = randomBytes(12).toString('hex');
/** By name: their permissions, and which of our routes these open. */
const users: readonly (readonly [name: string, permissions: string, mayRead: boolean, mayWrite: boolean])[] = [
  ['admin', '*', true, true],
  ['reader', 'read', true, false],
  ['trader', 'strategy-engine.write', false, true],
  ['stranger', 'inject.write', false, false],
];

describe('admin routes when Node-RED has adminAuth', function () {
  this.timeout(60_000);
  let own: Awaited<ReturnType<typeof createOwnNodeRed>>;

  async function tokenOf(name: string): Promise<string> {
    const scope = users.find(([user]) => user === name)?.[1] ?? '';
    const answer = await fetch(`${own.red.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope,
        username: name,
        password,
      }),
    });
    const body = (await answer.json()) as { readonly access_token?: string };
    return body.access_token ?? assert.fail(`${name} cannot log in: ${answer.status}`);
  }

  async function ask(method: string, path: string, token?: string): Promise<number> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(own.red.url + path, { method, headers });
    const text = await answer.text();
    if (answer.status === 401) assert.doesNotMatch(text, /strategy|parameters|state/);
    return answer.status;
  }

  before(async () => {
    own = await createOwnNodeRed();
    const known = users.map(([username, permissions]) => [username, { username, permissions }]);
    appendFileSync(
      join(own.red.directory, 'settings.js'),
      `
const known = new Map(${JSON.stringify(known)});
const users = async (name) => known.get(name) ?? null;
const authenticate = async (name, given) => given === ${JSON.stringify(password)} ? users(name) : null;
module.exports.adminAuth = { type: 'credentials', users, authenticate };
`,
    );
    await own.red.start();
    const replay = { origin: 'simulator', symbols: 'SIM:A', autostart: false, wires: [[], []] };
    const flows = [
      { id: 'tab', type: 'tab', label: 'admin' },
      { id: 'engine', type: 'strategy-engine', version: 1, engineName: 'admin-test', store: 'memory' },
      { id: 'replay', type: 'strategy-engine-market-replay', z: 'tab', version: 1, engine: 'engine', ...replay },
    ] satisfies readonly FlowNode[];
    const answer = await fetch(`${own.red.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf('admin')}` },
      body: JSON.stringify(flows),
    });
    assert.equal(answer.status, 204);
  });
  after(async () => {
    await own.red.end('SIGKILL');
    own.remove();
  });

  it('are all known to this test, and each asks for a permission', () => {
    const sources = readdirSync(join(root, 'nodes'))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, 'nodes', name), 'utf8'))
      .join('\n');
    const registered = sources.match(/\bhttpAdmin\s*\.\s*(?:get|post|put|delete|patch|all|use)\b/g) ?? [];
    assert.equal(registered.length, routes.length);
    assert.equal((sources.match(/\bneedsPermission\(/g) ?? []).length, routes.length);
    assert.doesNotMatch(sources, /\bhttpNode\b/);
  });

  for (const [method, path] of routes) {
    it(`${method} ${path} is 401 without a token and with a wrong one`, async () => {
      assert.equal(await ask(method, path), 401);
      assert.equal(await ask(method, path, 'wrong'), 401);
      assert.equal(await ask(method, `${path}?access_token=wrong`), 401);
      assert.equal(await ask(method, `${path}/`), 401);
      assert.equal(await ask(method, path.toUpperCase()), 401);
    });
  }

  for (const [name, permissions, mayRead, mayWrite] of users) {
    it(`who may ${permissions} ${mayRead ? 'reads' : 'does not read'} and ${mayWrite ? 'acts' : 'does not act'}`, async () => {
      const token = await tokenOf(name);
      for (const [method, path] of routes) {
        const may = method === 'GET' ? mayRead : mayWrite;
        assert.equal(await ask(method, path, token), may ? 200 : 401, `${name} ${method} ${path}`);
      }
    });
  }
});

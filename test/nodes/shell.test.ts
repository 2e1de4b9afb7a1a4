import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { z } from 'zod';
import engine from '../../nodes/engine';
import { common, type Definition, defineNode, type Shell, setting } from '../../nodes/shell';
import { limits } from '../../src/core/domain/limits';
import { until } from '../helpers/until';
import { body, clearStage, closeStage, errorOf, openStage, request, stage } from './stage';

const config = z.object({ ...common, period: setting.number(1, 10, 5), mode: setting.choice(['a', 'b'], 'a') });
const message = z.object({ count: z.number().optional() });

let shell: Shell<z.output<typeof config>> | null = null;
let running: { input?: (msg: object) => void | Promise<void> } = {};

const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-sample',
  version: 2,
  config,
  message,
  migrations: [(old) => ({ ...old, period: Number(old.seconds ?? 0) }), (old) => ({ ...old, mode: 'b' })],
  ports: { count: 2, result: 1 },
  open(made) {
    shell = made;
    return {
      input: (msg, send) => {
        send([null, { ...msg, payload: 'answer' }]);
        return running.input?.(msg);
      },
    };
  },
};
const sample = defineNode(definition) as (RED: NodeAPI) => void;
const node = (more = {}) => ({
  id: 'n',
  type: definition.type,
  version: 2,
  engine: 'engine',
  wires: [['one'], ['two']],
  ...more,
});

function made(): Shell<z.output<typeof config>> {
  if (!shell) throw new Error('the node was not opened');
  return shell;
}

describe('the shell around a node', () => {
  before(openStage);
  after(closeStage);
  beforeEach(() => {
    shell = null;
    running = {};
  });
  afterEach(clearStage);

  it('brings an old configuration up to date, version by version', async () => {
    await stage([engine, sample], [node({ version: 0, seconds: '7' })]);
    assert.deepEqual([made().config.period, made().config.mode, made().config.version], [7, 'b', 2]);
  });

  it('reads what the editor saves as text, and takes nothing as the default', async () => {
    await stage([engine, sample], [node({ period: '3', mode: '' })]);
    assert.deepEqual([made().config.period, made().config.mode], [3, 'a']);
    await clearStage();
    // How Node-RED leaves a variable that is not set.
    await stage([engine, sample], [node({ period: `$${'{NOT_SET}'}` })]);
    assert.equal(made().config.period, 5);
  });

  it('refuses to work with wrong settings: a red ring, an error that names the field, and for every message', async () => {
    const on = await stage([engine, sample], [node({ period: 99 })]);
    assert.deepEqual(
      [on.status('n').fill, on.status('n').shape, on.status('n').text],
      ['red', 'ring', 'check settings'],
    );
    on.send('n', { payload: 1 });
    const caught = await on.count('caught', 2);
    for (const one of caught) assert.match(errorOf(one).message, /^ValueError: period: .*10/);
    assert.equal(shell, null);
  });

  it('checks what it reads of a message, naming the field', async () => {
    const on = await stage([engine, sample], [node()]);
    on.send('n', { count: 'many' });
    const [caught] = await on.count('caught', 1);
    assert.equal(errorOf(caught).cause.details[0]?.path, 'msg.count');
  });

  it('turns a rejection of an asynchronous handler into an error of the message', async () => {
    running = { input: () => Promise.reject(new TypeError('a secret of the inside')) };
    const on = await stage([engine, sample], [node()]);
    on.send('n', { payload: 1 });
    const [caught] = await on.count('caught', 1);
    assert.equal(errorOf(caught).code, 'InternalError');
    assert.doesNotMatch(JSON.stringify(errorOf(caught).message), /secret/);
    assert.equal(on.done().length, 0);
  });

  it('answers a request whose handler fails on the result port, as the contract has it', async () => {
    running = { input: () => Promise.reject(new Error('x')) };
    const on = await stage([engine, sample], [node()]);
    on.send('n', { payload: 1, ...request() });
    const answers = await on.count('two', 2);
    assert.deepEqual([answers[1]?.statusCode, body(answers[1]).error_type], [500, 'InternalError']);
    await on.count('done', 1);
  });

  it('turns what background work throws into an error that can be routed', async () => {
    const on = await stage([engine, sample], [node()]);
    made().background('feed', () => Promise.reject(new Error('x')));
    made().after(1, () => {
      throw new Error('y');
    });
    const caught = await on.count('caught', 2);
    assert.deepEqual(caught.map(({ topic }) => topic).sort(), ['feed', 'timer']);
  });

  it('shows at most two statuses a second, only changes, at most 20 characters, and always the last', async () => {
    const on = await stage([engine, sample], [node()]);
    const from = performance.now();
    for (let i = 0; i < 200; i++) made().status('green', `${i} of a very long story indeed`);
    made().status('blue', 'the end');
    await until('the last status', () => on.status('n').text === 'the end');
    assert.ok(performance.now() - from > limits.statusMs * 0.9);
    assert.equal(on.statuses('n').length, 2);
    assert.equal(on.statuses('n')[0]?.text?.length, 20);
    made().status('blue', 'the end');
    await new Promise((resolve) => setTimeout(resolve, limits.statusMs + 50));
    assert.equal(on.statuses('n').length, 2);
  });

  it('ends its timers with the node', async () => {
    await stage([engine, sample], [node()]);
    let runs = 0;
    const one = made();
    one.every(1, () => void runs++);
    await until('it runs', () => runs > 2);
    await clearStage();
    const then = runs;
    assert.equal(one.isClosed, true);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(runs, then);
  });

  it('refuses messages beyond a bound instead of keeping them without end', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    running = { input: () => gate };
    const on = await stage([engine, sample], [node()]);
    for (let i = 0; i < limits.nodeMessages + 1; i++) on.send('n', { payload: i });
    const [caught] = await on.count('caught', 1);
    assert.equal(errorOf(caught).code, 'ConnectionError');
    open();
    await on.count('done', limits.nodeMessages);
  });

  it('says which setting is missing when no engine is named', async () => {
    const on = await stage([engine, sample], [node({ engine: '' })]);
    made().whenEngine(() => {});
    const [caught] = await on.count('caught', 1);
    assert.match(errorOf(caught).message, /choose a strategy engine/);
  });
});

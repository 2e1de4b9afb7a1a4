import assert from 'node:assert/strict';
import { Registry } from '../../nodes/registry';
import { limits } from '../../src/core/domain/limits';
import { until } from '../helpers/until';

/** A registry of numbered things, and what became of them. */
function thing() {
  const closed: number[] = [];
  let opened = 0;
  const registry = new Registry<number>(async (value) => {
    closed.push(value);
  });
  const open = async () => ++opened;
  return { registry, open, closed };
}

describe('the registry of what outlives a deploy', () => {
  it('gives the same thing to everybody who asks with the same settings', async () => {
    const { registry, open, closed } = thing();
    const first = registry.acquire('k', { a: 1 }, open);
    const second = registry.acquire('k', { a: 1 }, open);
    assert.equal(await first.value, await second.value);
    await first.release(0);
    assert.deepEqual(closed, []);
    await second.release(0);
    assert.deepEqual(closed, [1]);
  });

  it('keeps it over a gap shorter than the grace, and closes it after a longer one', async () => {
    const { registry, open, closed } = thing();
    const first = registry.acquire('k', {}, open);
    await first.value;
    await first.release(1_000);
    const next = registry.acquire('k', {}, open);
    assert.equal(await next.value, 1);
    await next.release(10);
    await until('it is closed', () => closed.length === 1);
    assert.equal(await registry.acquire('k', {}, open).value, 2);
  });

  it('opens it anew under other settings once nobody uses it, after the old one is closed', async () => {
    const order: string[] = [];
    const registry = new Registry<string>(async (value) => {
      order.push(`close ${value}`);
    });
    const open = (name: string) => async () => {
      order.push(`open ${name}`);
      return name;
    };
    const first = registry.acquire('k', 1, open('a'));
    await first.value;
    await first.release(1_000);
    assert.equal(await registry.acquire('k', 2, open('b')).value, 'b');
    assert.deepEqual(order, ['open a', 'close a', 'open b']);
  });

  it('shares what is in use even under other settings, and says so', async () => {
    const { registry, open } = thing();
    const first = registry.acquire('k', 1, open);
    const second = registry.acquire('k', 2, open);
    assert.deepEqual([first.settingsDiffer, second.settingsDiffer], [false, true]);
    assert.equal(await second.value, 1);
  });

  it('forgets what could not be opened, so that asking again tries again', async () => {
    const { registry, open } = thing();
    const failed = registry.acquire('k', {}, () => Promise.reject(new Error('taken')));
    await assert.rejects(failed.value, /taken/);
    await failed.release(0);
    assert.equal(await registry.acquire('k', {}, open).value, 1);
  });

  it('holds a bounded number of things', () => {
    const { registry, open } = thing();
    for (let i = 0; i < limits.sharedEngines; i++) registry.acquire(`k${i}`, {}, open);
    assert.throws(() => registry.acquire('one more', {}, open), /more than 64/);
  });

  it('counts a lease that is released twice once', async () => {
    const { registry, open, closed } = thing();
    const first = registry.acquire('k', {}, open);
    registry.acquire('k', {}, open);
    await first.release(0);
    await first.release(0);
    assert.deepEqual(closed, []);
  });
});

import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../helpers/browser';
import { createProduct, type Product } from '../helpers/product';
import { temporaryDirectory } from '../helpers/temporary';
import { until } from '../helpers/until';

const labels = [
  'market data in',
  'market data',
  'market replay',
  'strategy',
  'strategy apply',
  'events',
  'strategy manage',
  'performance track',
  'adapt',
  'insights',
  'HTTP API',
];

describe('the editor in a browser, on the demo', function () {
  this.timeout(120_000);
  let product: Product;
  let browser: Browser | null = null;
  let page: Page;
  const problems: string[] = [];
  const directory = temporaryDirectory('editor');

  before(async () => {
    browser = await openBrowser();
    if (browser === null) return;
    product = await createProduct({ dataDir: directory.path });
    await product.start();
    page = await browser.newPage({ viewport: { width: 1_400, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(product.editorUrl);
    await page.waitForSelector('.red-ui-flow-node-group', { timeout: 60_000 });
  });

  after(async () => {
    await browser?.close();
    await product?.end('SIGTERM');
    directory.remove();
  });

  it('has every node in its palette, under one category', async () => {
    if (browser === null) return;
    const shown = (await page.evaluate(`[...document.querySelectorAll('.red-ui-palette-node')]
      .filter((node) => /^strategy-engine/.test(node.dataset.paletteType ?? ''))
      .map((node) => [node.closest('.red-ui-palette-category').querySelector('.red-ui-palette-header').textContent.trim(),
        node.querySelector('.red-ui-palette-label').textContent.trim()])`)) as [string, string][];
    assert.deepEqual(new Set(shown.map(([category]) => category)), new Set(['strategy engine']));
    assert.deepEqual(shown.map(([, label]) => label.replace(/\s+/g, ' ')).sort(), [...labels].sort());
  });

  it('finds nothing wrong with the flow that it starts with', async () => {
    if (browser === null) return;
    const wrong = await page.evaluate(`(() => {
      const wrong = [];
      const look = (node) => node.valid || wrong.push([node.id, node.validationErrors]);
      RED.nodes.eachNode(look);
      RED.nodes.eachConfig(look);
      return wrong;
    })()`);
    assert.deepEqual(wrong, []);
  });

  it('shows a strategy with its parameters, their bounds and what they do', async () => {
    if (browser === null) return;
    await page.evaluate(`RED.editor.edit(RED.nodes.node('demo-cross'))`);
    const dialog = page.locator('#dialog-form');
    await dialog.getByText('fast period').first().waitFor({ timeout: 20_000 });
    const text = ((await dialog.textContent()) ?? '').replace(/\s+/g, ' ');
    assert.match(text, /Buys when a fast moving average crosses above a slow one/);
    assert.match(text, /2 to 500/);
    assert.match(text, /lower = earlier crossings/);
    await page.locator('#node-dialog-cancel').click();
    await dialog.waitFor({ state: 'detached' });
  });

  it('takes the address of a cluster, and offers sharded channels for one', async () => {
    if (browser === null) return;
    await page.evaluate(`RED.editor.editConfig('', 'strategy-engine', 'demo-engine')`);
    const address = page.locator('#node-config-input-redisUrl');
    await address.waitFor({ timeout: 20_000 });
    const sharded = page.locator('#node-config-input-sharded');
    const wrong = async () => (await address.getAttribute('class'))?.includes('input-error') ?? false;
    for (const [url, isWrong, isOffered] of [
      ['http://127.0.0.1', true, false],
      ['redis-cluster://10.0.0.1:6379,10.0.0.2:6379', false, true],
      ['redis://', false, false],
    ] as const) {
      await address.fill(url);
      await address.blur();
      await until(`${url} is ${isWrong ? 'refused' : 'taken'}`, async () => (await wrong()) === isWrong);
      assert.deepEqual([url, await sharded.isVisible()], [url, isOffered]);
    }
    await page.locator('#node-config-dialog-cancel').click();
    await address.waitFor({ state: 'detached' });
  });

  it('tells the state of every node that lives: the market runs, the API listens', async () => {
    if (browser === null) return;
    await page.locator('.red-ui-flow-node-status-label', { hasText: /^row \d+$/ }).waitFor({ timeout: 20_000 });
    await page.locator('.red-ui-flow-node-status-label', { hasText: /^:\d+/ }).waitFor({ timeout: 20_000 });
  });

  it('meets no error in any script', () => {
    assert.deepEqual(problems, []);
  });
});

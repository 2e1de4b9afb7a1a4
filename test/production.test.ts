/** The operations guide says what is: its metrics are in a scrape, its alerts in the catalogue, its figures in the limits. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../src/compose';
import { alertCodes, alertComponents } from '../src/core/domain/alerts';
import { limits } from '../src/core/domain/limits';
import type { Engine } from '../src/live/engine-api';
import { startMs, tick } from './helpers/core';
import { message } from './helpers/living';
import { type RedisServer, startRedis } from './helpers/redis-server';
import { has, modules, read } from './helpers/repository';
import { recordingLogger } from './helpers/temporary';

const guide = read('PRODUCTION.md');

/** The code block with that word behind its language. */
function block(words: string): string {
  const text = new RegExp(`\`\`\`${words}\\n([\\s\\S]*?)\n\`\`\``).exec(guide)?.[1];
  if (text === undefined) throw new Error(`there is no block "${words}"`);
  return text;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

const panels = (JSON.parse(block('json dashboard')) as { readonly panels: readonly Panel[] }).panels;
const rules = [...block('yaml rules').matchAll(/^ +expr: (.+)$/gm)].map((match) => match[1] ?? '');
const expressions = [...rules, ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];

interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

const pairs = (text: string) => [...text.matchAll(/(\w+)(=~|=)"([^"]*)"/g)];

function seriesOf(scrape: string): readonly Series[] {
  const lines = scrape.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    return { name, labels: new Map(pairs(labels).map((match) => [match[1] ?? '', match[3] ?? ''])) };
  });
}

/** Set by who scrapes. */
const ofScraper: ReadonlySet<string> = new Set(['job', 'instance']);

/** Whether the scrape has a series that this selector chooses. */
function isChosen(series: readonly Series[], name: string, selector: string): boolean {
  const wanted = pairs(selector).filter((match) => !ofScraper.has(match[1] ?? ''));
  return series.some(
    (one) =>
      one.name === name &&
      wanted.every(([, label = '', operator, value = '']) => {
        const found = one.labels.get(label);
        return found !== undefined && (operator === '=' ? found === value : new RegExp(`^(?:${value})$`).test(found));
      }),
  );
}

describe('the operations guide', () => {
  let redis: RedisServer;
  let engine: Engine;
  let folder = '';

  before(async function () {
    this.timeout(30_000);
    redis = await startRedis({ args: ['--appendonly', 'yes'] });
    folder = mkdtempSync(join(tmpdir(), 'production-'));
    const { url } = redis;
    const store = { kind: 'redis', url, path: folder } as const;
    engine = await openEngine({ name: 'guide', store, redis: { url }, logger: recordingLogger() });
    await engine.register({ strategyType: 'mean_reversion', strategyId: 'one', symbols: ['AAA'], timeframe: '1s' });
    await engine.processMarketData(message(Array.from({ length: 5 }, (_, i) => tick('AAA', startMs + i * 1_000, 100))));
    for (const status of [200, 503]) engine.countRequest(status);
  });

  after(async () => {
    await engine.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('names in its rules and its dashboard only series that a scrape of a real engine has', async () => {
    const series = seriesOf(await engine.metricsText());
    assert.ok(rules.length > 15 && panels.length > 15);
    const missing = expressions.flatMap((expression) => {
      const named = [...expression.matchAll(/\b(strategy_engine_\w+)(?:\{([^}]*)\})?/g)];
      if (named.length === 0 && !/^up\{/.test(expression)) return [`${expression} names nothing of ours`];
      return named
        .filter(([, name = '', selector = '']) => !isChosen(series, name, selector))
        .map(([found]) => `${found} in ${expression}`);
    });
    assert.deepEqual(missing, []);
  });

  it('has a dashboard whose panels have names and places of their own', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos, targets } of panels) {
      assert.ok(targets.length > 0 && gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x} ${y}`), undefined, `${title} lies on ${taken.get(`${x} ${y}`)}`);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });

  it('has every alert of the catalogue in its table, and no other', () => {
    const table = /<!-- alerts:begin -->([\s\S]*)<!-- alerts:end -->/.exec(guide)?.[1] ?? '';
    const listed = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap((match) =>
      [...(match[1] ?? '').matchAll(/`([^`]+)`/g)].map((code) => code[1] ?? ''),
    );
    const states = Object.entries(alertComponents).flatMap(([component, troubles]) =>
      troubles.length === 0 ? [] : [...troubles, 'up'].map((state) => `${component}_${state}`),
    );
    assert.deepEqual([...listed].sort(), [...Object.keys(alertCodes), ...states].sort());
  });

  it('knows of every alert and component that the engine has', () => {
    const live = modules('src/live/')
      .map(({ withoutComments }) => withoutComments)
      .join('\n');
    const unraised = Object.keys(alertCodes).filter((code) => !live.includes(`'${code}'`));
    assert.deepEqual(unraised, []);
    const reported = [...live.matchAll(/health\.report\('([^']+)'/g)].map((match) => match[1] ?? '');
    assert.ok(reported.length > 3);
    assert.deepEqual(
      reported.filter((component) => !Object.hasOwn(alertComponents, component)),
      [],
    );
  });

  it('has the bounds that the engine has', () => {
    const number = (value: number) => value.toLocaleString('en-US');
    const said = [
      `| symbols followed | ${number(limits.symbols)};`,
      `| strategies not archived | ${number(limits.strategies)} |`,
      `| executions remembered by id | ${number(limits.executionIds)} per engine |`,
      `| the tape | ${limits.tapeBytes / 2 ** 30} GiB and ${limits.tapeAgeMs / 86_400_000} days, in segments of ${limits.tapeSegmentBytes / 2 ** 20} MiB |`,
      `| ticks waiting at the intake | ${number(limits.intakeTicks)},`,
      `| writes waiting for the log | ${number(limits.appendsWaiting)},`,
      `| signals waiting for Redis | ${number(limits.signalsWaiting)}, each as long as it is valid, else ${limits.signalWaitMs / 1_000} s |`,
      `| signals kept in Redis | ${number(limits.signalStreamEntries)} in the stream, ${number(limits.signalIds)} ids`,
      `| dead letters kept in Redis | ${number(limits.rejectedStreamEntries)}, each cut at ${limits.deadLetterChars / 1_024} KiB |`,
      `| open sockets of the API | ${number(limits.httpConnections)} |`,
      `its lease ends ${limits.leaseMs / 1_000} s after its last beat`,
      `known to the others within about ${limits.logFollowMs} ms`,
      `504 after ${limits.storeMs} ms`,
      `(code and component) within ${limits.alertWindowMs / 1_000} s`,
      `bounded to ${limits.metricLabels} per metric`,
      `Requests are limited to ${limits.ratePerS} per second`,
      `closes in order within ${limits.closeMs / 1_000} s`,
    ];
    assert.deepEqual(
      said.filter((words) => !guide.includes(words)),
      [],
    );
  });

  it('names no file and no command that there is not', () => {
    const links = [...guide.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      links.filter((path) => !has(path)),
      [],
    );
    const usage = read('src/cli.ts');
    const commands = [...guide.matchAll(/npx strategy-engine ([\w-]+)/g)].map((match) => match[1] ?? '');
    assert.ok(commands.length > 3);
    assert.deepEqual(
      commands.filter((command) => !new RegExp(`^ {2}${command} `, 'm').test(usage)),
      [],
    );
  });

  it('has a place for what was measured', () => {
    assert.match(guide, /## What was measured\n[\s\S]*<!-- faults:begin -->[\s\S]*<!-- faults:end -->/);
  });
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, keptFigures } from '../helpers/figures';
import { temporaryDirectory } from '../helpers/temporary';
import { begin, end, faultsTable, withTable } from './faults-table';

describe('the report of the fault campaign', () => {
  it('keeps one figure per id, the last one, in the order of the tests', () => {
    const directory = temporaryDirectory('figures');
    const file = join(directory.path, 'figures.json');
    assert.deepEqual(keptFigures(file), []);
    figure('T10', 'of the report: thrown', 0, '0', true, { seed: 7 }, file);
    figure('T9', 'of the report: lost', 3, '0', false, {}, file);
    assert.equal(figure('T9', 'of the report: lost', 0, '0', true, { tier: 'C' }, file), true);
    const kept = keptFigures(file);
    assert.deepEqual(
      kept.map(({ id, value, met, tier, seed }) => [id, value, met, tier, seed]),
      [
        ['T9', '0', true, 'C', null],
        ['T10', '0', true, 'N', 7],
      ],
    );
    assert.ok(kept.every(({ node, date }) => node === process.version && /^\d{4}-\d\d-\d\d$/.test(date)));
    writeFileSync(file, '{}');
    assert.deepEqual(keptFigures(file), []);
    directory.remove();
  });

  const measured = { date: '2026-01-02', node: 'v20.19.0', redis: '7.0.15', tier: 'N', seed: 1 } as const;
  const table = faultsTable([{ id: 'T1', what: 'lost | doubled', value: '0', goal: '0', met: false, ...measured }]);

  it('says what was missed, escapes bars, and names versions and seed', () => {
    assert.match(table, /\| T1 \| lost \\\| doubled \| 0 \| 0 \| \*\*no\*\* \| 2026-01-02, nightly, seed 1 \|/);
    assert.match(table, /Node 20\.19\.0, Redis 7\.0\.15/);
    assert.match(faultsTable([]), /Nothing was measured/);
  });

  it('touches nothing of the page but what is between its markers', () => {
    const created = withTable(null, table);
    assert.match(created, /^# Production\n\n## What was measured\n/);
    assert.equal(withTable(created, table), created, 'and writing it again changes nothing');
    const page = `# Production\n\nabove\n\n${begin}\nold\n${end}\n\nbelow\n`;
    assert.equal(withTable(page, 'new'), page.replace('old', 'new'));
    assert.match(withTable('# Production\n\nwords\n', table), /^# Production\n\nwords\n\n## What was measured\n/);
    assert.throws(() => withTable(`${end}${begin}`, table), /wrong order/);
    assert.throws(() => withTable(begin, table), /only one/);
  });
});

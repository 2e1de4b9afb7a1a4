/** The figures of the last long runs as a table for PRODUCTION.md. */
import type { Measured } from '../helpers/figures';

export const begin = '<!-- faults:begin -->';
export const end = '<!-- faults:end -->';

const tiers = { C: 'every commit', N: 'nightly', R: 'before a release' } as const;

/** Text inside of a cell: a bar would begin the next one. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}

/** The table, with the circumstances of the runs once below when they are the same for all. */
export function faultsTable(figures: readonly Measured[]): string {
  if (figures.length === 0) return '_Nothing was measured yet: `npm run test:long`, then `npm run report:faults`._';
  const rows = figures.map(({ id, what, value, goal, met, tier, date, seed }) => {
    const ran = `${date}, ${tiers[tier]}${seed === null ? '' : `, seed ${seed}`}`;
    return `| ${[id, what, value, goal, met ? 'yes' : '**no**', ran].map(cell).join(' | ')} |`;
  });
  const runtimes = [...new Set(figures.map(({ node, redis }) => `Node ${node.replace(/^v/, '')}, Redis ${redis}`))];
  return [
    '| test | what | measured | goal | met | when |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Measured with ${runtimes.sort().join('; ')}, Redis and clients on one machine. \`npm run test:long\` measures again, \`npm run report:faults\` writes this table.`,
  ].join('\n');
}

/** The page with the table between its markers; a page without them gets a section for it. */
export function withTable(page: string | null, table: string): string {
  const block = `${begin}\n${table}\n${end}`;
  if (page === null) return `# Production\n\n## What was measured\n\n${block}\n`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 && to === -1) return `${page.trimEnd()}\n\n## What was measured\n\n${block}\n`;
  if (from === -1 || to < from)
    throw new Error(`PRODUCTION.md has only one of ${begin} and ${end}, or in the wrong order`);
  return page.slice(0, from) + block + page.slice(to + end.length);
}

/**
 * A store as one writes it on the first day, to see that the kill test bites. `lossy` answers before what it counted is
 * written; `doubling` writes first but knows no ids. Arguments: data directory, port, kind.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

const [path = '', port = '', kind = ''] = process.argv.slice(2);
mkdirSync(path, { recursive: true });
const file = join(path, 'totals.json');
const flushMs = 400;
const answerMs = 20;

let totals = { executions: 0, units: 0, ids: [] as string[] };
try {
  totals = JSON.parse(readFileSync(file, 'utf8'));
} catch {
  // The first start.
}
const ids = new Set(totals.ids);
function flush(): void {
  writeFileSync(`${file}.new`, JSON.stringify({ ...totals, ids: kind === 'lossy' ? [...ids] : [] }));
  renameSync(`${file}.new`, file);
}

function track(text: string): boolean {
  const { execution_result: result } = JSON.parse(text);
  const duplicate = kind === 'lossy' && ids.has(result.execution_id);
  if (duplicate) return true;
  ids.add(result.execution_id);
  totals.executions++;
  totals.units += Math.round(result.pnl * 1e8);
  if (kind === 'doubling') flush();
  return false;
}

function answer(request: IncomingMessage, response: ServerResponse, text: string): void {
  const send = (body: object) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', ...body }));
  };
  if (request.url === '/api/performance/track') {
    const duplicate = track(text);
    setTimeout(() => send({ duplicate }), answerMs);
  } else send({ metrics: { executions: totals.executions, total_pnl: totals.units / 1e8 } });
}

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => answer(request, response, text));
});
if (kind === 'lossy') setInterval(flush, flushMs);
process.once('SIGTERM', () => {
  flush();
  process.exit(0);
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

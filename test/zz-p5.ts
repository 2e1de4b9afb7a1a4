import { p5 } from './bench/node-red-bench';
async function main() {
  const [contest] = await p5();
  if (!contest) return;
  const run = async (s: typeof contest.ours) => { const a = contest.cpuUs?.() ?? 0; const n = await s.run(); return ((contest.cpuUs?.() ?? 0) - a) / n; };
  for (let i = 0; i < 8; i++) console.log('ours', (await run(contest.ours)).toFixed(1), 'us/tick', process.argv[2] === 'both' ? 'peer ' + (await run(contest.peer)).toFixed(1) : '');
  await contest.close?.();
  process.exit(0);
}
void main();

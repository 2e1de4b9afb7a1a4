/** `npm run bench` runs everything, `npm run bench -- NAME …` what begins so. Prints a table, writes bench-results.json. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../helpers/repository';
import { type Contest, commit, hold, type Outcome, table } from './harness';

type Suite = () => readonly Contest[] | Promise<readonly Contest[]>;

/** By the number in the name; loaded only when asked for, since some start servers. */
const suites: Readonly<Record<string, Suite>> = {
  P1: () => (require('./core-bench') as typeof import('./core-bench')).p1(),
  P2: () => (require('./core-bench') as typeof import('./core-bench')).p2(),
  P4: () => (require('./redis-bench') as typeof import('./redis-bench')).p4(),
  P5: () => (require('./node-red-bench') as typeof import('./node-red-bench')).p5(),
  P6: () => (require('./http-bench') as typeof import('./http-bench')).p6(),
  P7: () => (require('./redis-bench') as typeof import('./redis-bench')).p7(),
  P8: () => (require('./track-bench') as typeof import('./track-bench')).p8(),
  P11: () => (require('./restart-bench') as typeof import('./restart-bench')).p11(),
};

async function main(): Promise<void> {
  const asked = process.argv.slice(2).map((name) => name.toUpperCase());
  const names = Object.keys(suites).filter((name) => asked.length === 0 || asked.includes(name));
  if (names.length === 0) throw new Error(`there is ${Object.keys(suites).join(', ')}`);
  const outcomes: Outcome[] = [];
  const failed: string[] = [];
  for (const name of names) {
    try {
      for (const contest of (await suites[name]?.()) ?? []) {
        process.stderr.write(`${contest.name} …\n`);
        outcomes.push(await hold(contest));
      }
    } catch (thrown) {
      failed.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  console.log(`\n${table(outcomes)}\n`);
  for (const line of failed) console.log(`not measured: ${line}`);
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length };
  const results = { at: new Date().toISOString(), commit: commit(), machine, outcomes, failed };
  writeFileSync(join(root, 'bench-results.json'), `${JSON.stringify(results, null, 2)}\n`);
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    console.error(thrown);
    process.exit(1);
  },
);

/** Node processes of a test: collected output, ended by their pid, none left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { root } from './repository';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  pid(): number;
  stdout(): string;
  stderr(): string;
  /** Settles when it is gone and all of its output is here. */
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Told all of stdout so far whenever it grows. */
  readonly onStdout?: (text: string, child: Child) => void;
}

/** Starts `node args…`; a `.ts` script runs as it is. */
export function startNode(args: readonly string[], { env, onStdout }: ChildOptions = {}): Child {
  const loader = args[0]?.endsWith('.ts') ? ['-r', 'tsx/cjs'] : [];
  const spawned = spawn(process.execPath, [...loader, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(spawned);
  let out = '';
  let err = '';
  const child: Child = {
    pid: () => spawned.pid ?? 0,
    stdout: () => out,
    stderr: () => err,
    ended: new Promise((resolve, reject) => {
      spawned.once('error', reject);
      spawned.once('close', (code, signal) => {
        running.delete(spawned);
        resolve({ code, signal });
      });
    }),
    kill: (signal) => void spawned.kill(signal),
  };
  spawned.stdout.on('data', (data: Buffer) => {
    out += data.toString('utf8');
    onStdout?.(out, child);
  });
  spawned.stderr.on('data', (data: Buffer) => {
    err += data.toString('utf8');
  });
  return child;
}

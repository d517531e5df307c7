import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));

/** How a run of the program ended. */
export interface Ended {
  /** Null: ended by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly took: number;
}

/** The program while it runs. */
export interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the built program, as a process of its own; it is killed, which its `signal` then says, after `bound` milliseconds. */
export function startProgram(argv: readonly string[], bound = 180_000): Running {
  const began = Date.now();
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: bare(),
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), bound);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, took: Date.now() - began });
    });
  });
  return { ended, kill: (signal) => child.kill(signal) };
}

/** Runs the program to its end. */
export const runProgram = (argv: readonly string[], bound?: number): Promise<Ended> => startProgram(argv, bound).ended;

/** This process's environment without what would change the program's flags. */
function bare(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TRUEUP_|PG|DATABASE_URL$|DEBUG$|NODE_OPTIONS$|VITEST)/u.test(name),
  );
  return Object.fromEntries(kept);
}

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Sample } from './measure.js';

const MEASURED = fileURLToPath(new URL('measured.cjs', import.meta.url));
const TRUEUP = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** Variables that would lead a command to another database, or change what it does. */
const STRAY = /^(?:TRUEUP_|PG|HINDSIGHT_|DATABASE_URL$|NODE_OPTIONS$)/u;

/** A process that ended, with what it printed. */
export interface Finished extends Sample {
  readonly output: string;
  /** Standard error. */
  readonly log: string;
  /** When the marks of its timeline were set, in milliseconds from its start. */
  readonly marks: ReadonlyMap<string, number>;
}

/**
 * Runs a command of trueup as a user would, from the start of its process to its end.
 * @throws {Error} when it exits otherwise than expected: what was measured then is not what was meant
 */
export const runTrueup = (args: readonly string[], exitCode = 0): Promise<Finished> =>
  runNode([TRUEUP, ...args], exitCode);

/** Runs Node with arguments. @throws {Error} when it exits otherwise than expected */
export const runNode = (args: readonly string[], exitCode = 0): Promise<Finished> =>
  runProcess(process.execPath, ['--require', MEASURED, ...args], { measured: true, exitCode });

/**
 * Runs a program; `measured`: it writes what measured.cjs does to file descriptor 3.
 * @throws {Error} when it exits otherwise than expected
 */
export function runProcess(
  program: string,
  args: readonly string[],
  {
    measured = false,
    input = '',
    exitCode = 0,
  }: { readonly measured?: boolean; readonly input?: string; readonly exitCode?: number } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program, args, {
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe', measured ? 'pipe' : 'ignore'],
    });
    const [, stdout, stderr, figures] = child.stdio.map((stream) => collected(stream as Readable | null | undefined));
    // A program that stops at an error leaves its input unread.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    let seconds = 0;
    child.once('error', reject);
    child.once('exit', () => {
      seconds = (performance.now() - began) / 1000;
    });
    child.once('close', (code) => {
      if (code !== exitCode)
        reject(new Error(`${[program, ...args].join(' ')} ended with ${code}\n${stderr?.()}\n${stdout?.()}`));
      else {
        const { peakMemory, marks } = measured ? (JSON.parse(figures?.() ?? '') as Figures) : NO_FIGURES;
        const [output, log] = [stdout?.() ?? '', stderr?.() ?? ''];
        resolve({ seconds, peakMemory, output, log, marks: new Map(marks) });
      }
    });
  });
}

/** What measured.cjs writes. */
interface Figures {
  readonly peakMemory: number | null;
  readonly marks: readonly (readonly [name: string, at: number])[];
}

const NO_FIGURES: Figures = { peakMemory: null, marks: [] };

/** What a stream gave so far. */
function collected(stream: Readable | null | undefined): () => string {
  const chunks: Buffer[] = [];
  if (stream?.readable) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !STRAY.test(name)));

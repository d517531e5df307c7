import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { TrueupError } from '../trueup-error.js';
import { EXIT_CODES, type ExitCode, worstExitCode } from './exit-codes.js';

/** What a write says once whoever reads the output has closed it (`| head`): wanted, and no loss. */
const CLOSED = ['EPIPE', 'ECONNRESET'];

type Written = Writable & { readonly fd: number };
type Done = (error?: Error | null) => void;

const lost = new Set<Written>();
let changesDatabases = false;

/** Whether something that was written to standard output is lost. */
export const printedIsLost = (): boolean => lost.has(process.stdout);

/** Of a command whose work stands whether its output arrives or not: 'nothing was begun' would be untrue of it. */
export function workStandsWithoutOutput(): void {
  changesDatabases = true;
}

/** What a run ends with that would end with `code`, had its output arrived. */
export function withLostOutput(code: number): number {
  if (lost.size === 0) return code;
  const loss: ExitCode = changesDatabases ? EXIT_CODES.outputLost : EXIT_CODES.error;
  return worstExitCode([code, loss]);
}

/**
 * Lets a run go on when its output cannot be written: whoever read it has closed it, or the disk is full. An apply that
 * dies of that would stop half way.
 * @param tell is told of a standard output that is lost, once; of a standard error that is, nobody can be told
 */
export function surviveLostOutput(tell: (error: TrueupError) => void): void {
  const streams: readonly Written[] = [process.stdout, process.stderr];
  for (const stream of streams) {
    const note = (error: unknown): void => {
      if (CLOSED.includes(String(codeOf(error))) || lost.has(stream)) return;
      lost.add(stream);
      if (stream === process.stdout) tell(lostOutput(error));
    };
    if (stream instanceof Socket) noteOfSocket(stream, note);
    else noteOfFile(stream, note);
    stream.on('error', note);
  }
}

/** A pipe or a terminal. Its stream must not learn of the error: oclif throws what that then emits. */
function noteOfSocket(stream: Writable, note: (error: Error) => void): void {
  const noted =
    (done: Done): Done =>
    (error) => {
      if (error) note(error);
      done();
    };
  const write = stream._write.bind(stream);
  const writev = stream._writev?.bind(stream);
  stream._write = (chunk, encoding, done) => write(chunk, encoding, noted(done));
  if (writev !== undefined) stream._writev = (chunks, done) => writev(chunks, noted(done));
}

/** A file or a device. Node's own stream takes a write for whole of which the last free block took a part. */
function noteOfFile(stream: Written, note: (error: unknown) => void): void {
  stream._write = (chunk: Buffer, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) {
        const taken = writeSync(stream.fd, chunk, at);
        // A device that takes nothing, and says nothing, would be asked for ever.
        if (taken === 0) throw new Error('it takes no more');
        at += taken;
      }
    } catch (error) {
      note(error);
    }
    done();
  };
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

function lostOutput(error: unknown): TrueupError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TrueupError('OUTPUT_NOT_WRITTEN', `what was printed is lost, or a part of it: ${reason}`, {
    where: 'standard output',
    remedy: changesDatabases
      ? 'make room where it goes; the run goes on to its end all the same, and a plan shows then what is left'
      : 'make room where it goes, or send it elsewhere, and run it again',
    cause: error,
  });
}

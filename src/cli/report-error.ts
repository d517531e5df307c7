import { bold, red } from 'ansis';
import { redact } from '../database/redact.js';
import { FORMAT_VERSION } from '../format-version.js';
import type { TrueupError } from '../trueup-error.js';
import { printedIsLost } from './lost-output.js';
import { printable } from './printable.js';
import { documentWritten, writeDocument } from './standard-output.js';

/** How an error is shown. */
export interface ErrorForm {
  /** One document on standard output, unless the run has printed its own already. */
  readonly json: boolean;
  /** One JSON line on standard error, as `--log-format json` writes them. */
  readonly jsonLog: boolean;
  /** With the stack: DEBUG is set. */
  readonly debug: boolean;
}

/** Shows the error that ends a run: where, what to do, its code; without any password that it may hold. */
export function reportError(error: TrueupError, form: ErrorForm): void {
  const document = form.json && !documentWritten();
  if (document) writeDocument(errorDocument(error));
  if (!document || printedIsLost()) showError(error, form);
  if (form.debug) process.stderr.write(`${printable(redact(stacks(error), []))}\n`);
}

/** Shows an error on standard error, whatever standard output holds. */
export function showError(error: TrueupError, form: Pick<ErrorForm, 'jsonLog'>): void {
  if (form.jsonLog) process.stderr.write(`${JSON.stringify(errorLine(error))}\n`);
  else process.stderr.write(`${errorText(error, process.stderr.isTTY === true)}\n`);
}

/** What `--json` prints for an error. */
export const errorDocument = (error: TrueupError): object => ({
  formatVersion: FORMAT_VERSION,
  error: withOthers(error),
});

const errorLine = (error: TrueupError): object => ({
  time: new Date().toISOString(),
  level: 'error',
  message: errorFields(error).message,
  error: withOthers(error),
});

function withOthers(error: TrueupError): object {
  const others = error.options.others ?? [];
  return { ...errorFields(error), ...(others.length === 0 ? {} : { others: others.map(errorFields) }) };
}

/** An error as lines, and those that were found with it. */
function errorText(error: TrueupError, colour: boolean): string {
  return [error, ...(error.options.others ?? [])].map((each) => oneText(each, colour)).join('\n');
}

function oneText(error: TrueupError, colour: boolean): string {
  const { message, where, remedy, code } = errorFields(error);
  const indented = (text: string): string => printable(text).replaceAll('\n', '\n    ');
  return [
    `${colour ? bold(red('Error:')) : 'Error:'} ${indented(message)}`,
    ...(where === null ? [] : [`  at ${indented(where)}`]),
    ...(remedy === null ? [] : [`  try: ${indented(remedy)}`]),
    `  code: ${code}`,
  ].join('\n');
}

function errorFields(error: TrueupError) {
  const { where, remedy } = error.options;
  return {
    code: error.code,
    message: redact(error.message, []),
    where: where === undefined ? null : redact(where, []),
    remedy: remedy === undefined ? null : remedy,
  };
}

function stacks(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = (error.stack ?? error.message).slice(0, 10_000);
  return error.cause === undefined ? own : `${own}\ncaused by ${stacks(error.cause)}`;
}

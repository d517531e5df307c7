import type { Ansis } from 'ansis';
import { type Examination, type ExaminedDatabase, severityCounts } from '../doctor/examination.js';
import { type Finding, SEVERITIES, type Severity } from '../doctor/finding.js';
import { failedDatabaseCount, failedDatabaseLines } from './failed-databases.js';
import { inBlocks, paragraph, type TextOptions, wrapped } from './layout.js';
import { targetLine } from './target-line.js';
import { ofSeveral } from './tenant-name.js';
import { visible } from './visible.js';
import { counted, number } from './words.js';

/** How a look is shown. */
export interface DoctorTextOptions extends TextOptions {
  /** With the checks that are well one a line, instead of their names. */
  readonly verbose: boolean;
}

/** Where what belongs to a finding stands. */
const DETAIL = 6;

const SIGNS: Readonly<Record<Severity, string>> = { problem: '!', warning: '~', note: '·', ok: '+' };

const HEADS: Readonly<Record<Severity, string>> = {
  problem: 'Problems: something fails or comes to harm as things stand',
  warning: 'Warnings: something may fail, or work less well',
  note: 'Worth knowing',
  ok: 'Well',
};

const style = (severity: Severity, color: Ansis) =>
  ({ problem: color.red, warning: color.yellow, note: color.cyan, ok: color.green })[severity];

/** A look for people: the worst first, each finding with why it matters and what mends it. */
export function doctorText(seen: Examination, options: DoctorTextOptions): string {
  const several = ofSeveral(seen);
  const blocks = [
    ...seen.databases.flatMap((database) => [
      targetLines(database, several, options),
      ...SEVERITIES.map((severity) => severityLines(database, severity, options)),
    ]),
    failedDatabaseLines(seen.failedDatabases, 'not looked at', options),
    closingLines(seen, options),
  ];
  return inBlocks(blocks);
}

function targetLines(database: ExaminedDatabase, several: boolean, { color, width }: DoctorTextOptions) {
  const lines = paragraph(targetLine(database, several), width, 0, 2);
  return several ? lines.map((line) => color.bold(line)) : lines;
}

function severityLines(
  { findings }: ExaminedDatabase,
  severity: Severity,
  options: DoctorTextOptions,
): readonly string[] {
  const its = findings.filter((finding) => finding.severity === severity);
  if (its.length === 0) return [];
  const { color, width } = options;
  if (severity === 'ok' && !options.verbose) {
    // A check may look at several things: where one of them is told above, the check by its name alone is not well.
    const told = new Set(findings.flatMap((finding) => (finding.severity === 'ok' ? [] : [finding.check])));
    const well = new Set(its.flatMap(({ check }) => (told.has(check) ? [] : [check])));
    if (well.size === 0) return [];
    return paragraph(`Well: ${[...well].join(', ')}.`, width, 0, 2).map((line) => color.green(line));
  }
  return [
    color.bold(`${HEADS[severity]}:`),
    ...its.flatMap((finding) => findingLines(finding, Math.max(...its.map(({ check }) => check.length)), options)),
  ];
}

function findingLines(finding: Finding, widest: number, options: DoctorTextOptions): readonly string[] {
  const { check, severity, what, why, remedy, statements, subjects } = finding;
  const { color, width } = options;
  const sign = SIGNS[severity];
  const head = `  ${sign} ${check.padEnd(widest)}  `;
  const [first = '', ...rest] = wrapped(visible(what), width, { first: head, rest: DETAIL });
  // One that the sentence has named already needs no line of its own.
  const named = subjects.shown.length === 1 && names(what, subjects.shown[0] ?? '') ? [] : subjects.shown;
  const more = subjects.count - subjects.shown.length;
  // A statement stays whole, whatever the width: it is there to be pasted.
  return [
    `  ${style(severity, color)(sign)}${first.slice(3)}`,
    ...rest,
    ...named.flatMap((subject) => paragraph(`- ${visible(subject)}`, width, DETAIL, 2)),
    ...(more > 0 && named.length > 0 ? [`${' '.repeat(DETAIL)}- … and ${number(more)} more`] : []),
    ...(why === null
      ? []
      : paragraph(`${finding.looked ? 'why' : 'answer'}: ${visible(why)}`, width, DETAIL, 2).map((line) =>
          color.dim(line),
        )),
    ...(remedy === null ? [] : paragraph(`do: ${visible(remedy)}`, width, DETAIL, 2)),
    ...statements.map((statement) => color.cyan(`${' '.repeat(DETAIL + 2)}${visible(statement)};`)),
  ];
}

/** Whether a sentence names something: "te" is not named by "1 tenant". */
const names = (sentence: string, subject: string): boolean =>
  sentence
    .split(subject)
    .some(
      (before, at, parts) =>
        at < parts.length - 1 && !/[\p{L}\p{N}_]$/u.test(before) && !/^[\p{L}\p{N}_]/u.test(parts[at + 1] ?? ''),
    );

function closingLines(seen: Examination, { color, width }: DoctorTextOptions): readonly string[] {
  const { problem, warning, note, ok } = severityCounts(seen);
  const counts = [
    counted(problem, 'problem'),
    counted(warning, 'warning'),
    counted(note, 'note'),
    ...failedDatabaseCount(seen.failedDatabases, 'not looked at'),
    `${number(ok)} well`,
  ];
  const text = `Doctor: ${counts.join(', ')}.`;
  return paragraph(text, width, 0).map((line) =>
    problem + warning + seen.failedDatabases.length === 0 ? color.green(line) : color.bold(line),
  );
}

import type { Ansis } from 'ansis';
import { paragraph, type TextOptions, wrapped } from '../report/layout.js';
import { visible } from '../report/visible.js';
import { named } from '../report/words.js';
import { shellQuoted } from '../shell-quoted.js';
import { DRIFTS } from './drift.js';
import { TENANTS } from './fleet.js';

/** The first part: the fleet, and what was done to it. @param directory null: in memory */
export function fleetText(directory: string | null, options: TextOptions): string {
  const where = directory === null ? 'in memory' : `in ${visible(directory)}`;
  const rows = DRIFTS.flatMap((drift) => {
    const first = `  ${drift.tenants.join(', ')}: `.padEnd(STORY);
    return wrapped(drift.story, options.width, { first, rest: STORY });
  });
  const drifted = new Set(DRIFTS.flatMap((drift) => drift.tenants));
  const spared = TENANTS.map((tenant) => tenant.schema).filter((schema) => !drifted.has(schema));
  return section('1. A fleet that has drifted', options, [
    ...paragraph(
      `${TENANTS.length} tenants, one schema each, in an embedded PostgreSQL ${where}. All were made from the same desired ` +
        `state and hold rows. Then something went wrong with each of them but ${named(spared, 3)}:`,
      options.width,
      0,
    ),
    '',
    ...rows,
  ]);
}

/** What stands above the first plan. */
export const planHeading = (options: TextOptions): string =>
  section('2. trueup plan: what differs, and nothing changed', options, [
    ...paragraph(
      'Tenants that need the same changes stand together. + comes, - goes, ~ becomes something else; what a change risks ' +
        'stands under it. Blocked changes are refused until you allow them; deferred ones wait for the application.',
      options.width,
      0,
    ),
  ]);

/** What stands above the outcome. */
export const applyHeading = (options: TextOptions): string =>
  section('3. trueup apply: the pending changes, and no others', options, [
    ...paragraph(
      'Indexes on tables with rows are built and dropped CONCURRENTLY, and an index goes only when its replacement is ' +
        'valid. Every tenant is read again afterwards: it has converged when nothing differs.',
      options.width,
      0,
    ),
  ]);

/** What stands above the second plan. */
export const againHeading = (options: TextOptions): string =>
  section('4. trueup plan, again: what is left', options, [
    ...paragraph(
      'What was pending is gone. What needs a decision, or the application, is still there.',
      options.width,
      0,
    ),
  ]);

/**
 * The end: what to try on this fleet.
 * @param program how the reader calls trueup, `node bin/run.js`
 */
export function nextText(program: string, directory: string | null, options: TextOptions): string {
  const title = 'Try next';
  if (directory === null) {
    return section(title, options, [`  ${program} demo`, `${' '.repeat(6)}the same, with a fleet that is kept`]);
  }
  const target = `--embedded ${shellQuoted(directory)}`;
  const lines = COMMANDS.flatMap(([command, flags, what]) => [
    `  ${program} ${command} ${target}${flags === '' ? '' : ` ${flags}`}`,
    options.color.dim(`${' '.repeat(6)}${what}`),
  ]);
  return section(title, options, [
    ...lines,
    `  rm -r ${shellQuoted(directory)}`,
    options.color.dim(`${' '.repeat(6)}remove the fleet`),
  ]);
}

/** Command, flags, and what they show. */
const COMMANDS: readonly (readonly [command: string, flags: string, what: string])[] = [
  ['plan', '--verbose', 'with locks and statements'],
  ['plan', '--report plan.html', 'as a page, to be opened in a browser'],
  ['plan', '--json', 'for programs'],
  ['apply', '--allow rebuild-column', 'the blocked change too'],
  ['plan', '--backend text-search=pg_textsearch', 'what another text-search backend would take'],
  ['apply', '--schema olive --create-schema', 'one tenant more'],
  ['plan', '--skip-extension-reconcile', 'the routine run: tables, without vector and text search'],
];

/** Columns that the tenants' names take. */
const STORY = 24;

function section(title: string, { color, width }: TextOptions, lines: readonly string[]): string {
  return [heading(title, color, width), '', ...lines].join('\n');
}

const heading = (title: string, color: Ansis, width: number): string =>
  color.bold.cyan(`── ${title} ${'─'.repeat(Math.max(0, Math.min(width, 100) - title.length - 4))}`);

import type { Ansis } from 'ansis';
import { type Change, strongestLock } from '../diff/change.js';
import { showSql } from '../sql/template.js';
import { paragraph, type TextOptions, wrapped } from './layout.js';
import { visible } from './visible.js';
import { HAZARD_WORDS, named, subjectName, symbolOf } from './words.js';

/** How changes are shown. */
export interface ChangeTextOptions extends TextOptions {
  /** With locks and statements. */
  readonly verbose: boolean;
}

/** A change, or the first of many that read alike, and, of a family's, what to say of its members. */
export interface ShownChange {
  readonly change: Change;
  /** Of all that the line stands for. */
  readonly objects: readonly string[];
  /** `3 members`. */
  readonly members: string | null;
  /** Lines under it: who needs which member. */
  readonly details: readonly string[];
}

const DETAIL = 6;
const NAMES = 3;

/** Changes one a line, columns aligned; hazards, what stands in the way and, if verbose, statements under each. */
export function changeLines(changes: readonly ShownChange[], options: ChangeTextOptions): readonly string[] {
  const widest = (of: (change: Change) => string) => Math.max(0, ...changes.map(({ change }) => of(change).length));
  const phases = widest((change) => visible(change.phase));
  const actions = widest((change) => change.action);
  return changes.flatMap((shown) => {
    const { change } = shown;
    const symbol = symbolOf(change.action);
    const head = `  ${symbol} ${visible(change.phase).padEnd(phases)}  ${change.action.padEnd(actions)}  `;
    const [first = '', ...rest] = wrapped(`${subject(shown)} — ${visible(change.reason)}`, options.width, {
      first: head,
      rest: DETAIL,
    });
    return [
      `  ${SIGN_COLORS[symbol](options.color)(symbol)}${first.slice(3)}`,
      ...rest,
      ...circumstances(change, options),
      ...shown.details.flatMap((line) => paragraph(visible(line), options.width, DETAIL, 2)),
      ...(options.verbose ? statements(change) : []),
    ];
  });
}

const SIGN_COLORS = {
  '+': (color: Ansis) => color.green,
  '-': (color: Ansis) => color.red,
  '~': (color: Ansis) => color.yellow,
} as const;

/** `items.kind`, `items.a, b, c and 997 more`, or `items, index family items_body_${shop.short}: 3 members`. */
function subject({ change, objects, members }: ShownChange): string {
  const { table, object, family } = change;
  if (family !== null) return `${visible(table)}, index family ${visible(family)}: ${members ?? ''}`;
  const [first = object, ...others] = objects;
  return named([subjectName({ table, object: first }), ...others], NAMES);
}

function circumstances(change: Change, { color, width }: ChangeTextOptions): readonly string[] {
  const lines: string[] = [];
  if (change.hazards.length > 0) {
    const hazards = change.hazards.map((hazard) => HAZARD_WORDS[hazard]).join('; ');
    lines.push(...paragraph(`hazard: ${hazards}`, width, DETAIL, 2).map((line) => color.dim(line)));
  }
  const { obstacle, remedy } = saidOnce(change);
  if (obstacle !== null) {
    const style = change.status === 'blocked' ? color.red : color.cyan;
    lines.push(...paragraph(`${change.status}: ${visible(obstacle)}`, width, DETAIL, 2).map((line) => style(line)));
  }
  if (remedy !== null && remedy !== '') lines.push(...paragraph(`do: ${visible(remedy)}`, width, DETAIL, 2));
  return lines;
}

/**
 * What keeps a change, for readers of all of a tenant's: what another that stands there is refused for is said of that one alone. A
 * new tenant that lacks one type had 300 lines of it.
 */
export const saidOnce = ({ obstacle, remedy, behind }: Change): Pick<Change, 'obstacle' | 'remedy'> =>
  behind === undefined ? { obstacle, remedy } : { obstacle: `waits for ${behind}`, remedy: null };

/** Not broken between words: statements are there to be copied. */
function statements(change: Change): readonly string[] {
  const indent = ' '.repeat(DETAIL);
  const lines = change.steps.flatMap((step) =>
    `${showSql(step.sql)};`.split('\n').map((line) => indent + visible(line)),
  );
  return [`${indent}lock: ${strongestLock(change)}`, ...lines];
}

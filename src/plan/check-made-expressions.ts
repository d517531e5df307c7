import { readMutable } from '../catalog/mutable-uses.js';
import type { DatabasePlace } from '../database/database-place.js';
import type { Session } from '../database/session.js';
import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredIndex, DesiredIndexBase, DesiredTable, SourcePosition } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';
import { type TypedUse, typedUses } from '../sql/typed-uses.js';
import { TrueupError } from '../trueup-error.js';
import { declaredAt, madeBy } from './made-objects.js';

interface MadeExpression {
  readonly of: string;
  readonly text: string;
  readonly phase: string;
  readonly source: SourcePosition;
}

/** Changes that make an index, or a column of a table. */
const MAKES = /^(?:(?:create|rebuild)-index|(?:add|alter|replace)-column|create-table)$/u;

/**
 * Indexes and generated columns that changes are to make may call only what is immutable: else every tenant would fail at the
 * same statement. Told of PostgreSQL's own functions, operators and casts.
 * @throws {TrueupError} DESIRED_STATE_INVALID, once, naming what is not.
 */
export async function checkMadeExpressions(
  session: Session,
  tables: readonly DesiredTable[],
  changes: Iterable<Change>,
  database: DatabasePlace,
): Promise<void> {
  const isMade = madeBy(changes, MAKES);
  const uses: (readonly [MadeExpression, TypedUse])[] = [];
  for (const table of tables)
    for (const expression of expressionsOf(table, (object) => isMade(table.name, object)))
      for (const use of await typedUses(expression.text, table.columns)) uses.push([expression, use]);
  const [at] = await readMutable(
    session,
    uses.map(([, use]) => use),
  );
  const [expression, use] = (at === undefined ? undefined : uses[at]) ?? [];
  if (expression === undefined || use === undefined) return;
  throw new TrueupError(
    'DESIRED_STATE_INVALID',
    `${expression.of} cannot be: ${shownUse(use)} may give another result at another time or in another session, and PostgreSQL takes none such there`,
    {
      where: declaredAt(database, expression.phase, expression.source),
      remedy: `use only what is immutable: of a timestamptz its date in a fixed time zone, (x AT TIME ZONE 'UTC')::date`,
    },
  );
}

function expressionsOf(table: DesiredTable, isMade: (object: string) => boolean): readonly MadeExpression[] {
  const ofIndex = (
    of: string,
    { keys, where, phase, source }: DesiredIndexBase & Pick<DesiredIndex, 'where'>,
  ): readonly MadeExpression[] =>
    [...keys.map((key) => key.expression), where].flatMap((text) =>
      text === null ? [] : [{ of, text, phase, source }],
    );
  return [
    ...table.columns
      .filter(({ name }) => isMade(name) || isMade(table.name))
      .flatMap(({ name, generated, phase, source }) =>
        generated === null ? [] : [{ of: `column "${name}"`, text: generated.expression, phase, source }],
      ),
    ...table.indexes.filter(({ name }) => isMade(name)).flatMap((index) => ofIndex(`index "${index.name}"`, index)),
    ...table.families
      .filter(({ label }) => isMade(label))
      .flatMap((family) => ofIndex(`index family "${family.label}"`, asOneIndex(family))),
  ];
}

/** As in SQL, with the types that are known: `date(timestamptz)`, `timestamptz + interval`. */
function shownUse({ kind, name, types }: TypedUse): string {
  const known = types.map((type) => (type === null || type === 'unknown' ? '…' : type));
  if (kind === 'function') return `${name}(${known.join(', ')})`;
  if (kind === 'cast') return `${known.join('')}::${name}`;
  return kind === 'value' ? name : [...known.slice(0, -1), name, ...known.slice(-1)].join(' ');
}

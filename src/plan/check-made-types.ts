import { readIncomparable, readUnknownTypes } from '../catalog/declared-types.js';
import type { DatabasePlace } from '../database/database-place.js';
import type { Session } from '../database/session.js';
import type { DesiredTable } from '../desired-state/model.js';
import type { Action, Change } from '../diff/change.js';
import { type BareType, bareType } from '../sql/bare-type.js';
import { TENANT_SCHEMA } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import type { ExtensionCheck } from './check-extensions.js';
import { declaredAt } from './made-objects.js';
import { UNKNOWN_NAME } from './unknown-name.js';

/** Changes that name types of their table's columns. */
const TYPED: ReadonlySet<Action> = new Set([
  'create-table',
  'add-column',
  'alter-column',
  'replace-column',
  'add-constraint',
  'replace-constraint',
]);

/**
 * The types that changes are to make columns of must be there, and such that the foreign keys between them can be: else every
 * tenant would fail at the same statement. Asked only about tables that something is to be done to.
 * @throws {TrueupError} DESIRED_STATE_INVALID, once, naming the type, or both.
 */
export async function checkMadeTypes(
  session: Session,
  tables: readonly DesiredTable[],
  changes: Iterable<Change>,
  { database, extensions }: { readonly database: DatabasePlace; readonly extensions: ExtensionCheck },
): Promise<void> {
  const concerned = new Set<string>();
  for (const made of changes) if (made.status !== 'deferred' && TYPED.has(made.action)) concerned.add(made.table);
  const changed = tables.filter(({ name }) => concerned.has(name));
  const columns = await typedColumns(changed);
  // Which types an extension will bring, nobody knows before it is there.
  const [unknown] =
    extensions.changes.length > 0
      ? []
      : await readUnknownTypes(
          session,
          columns.map(({ bare }) => bare),
        );
  const { column } = (unknown === undefined ? undefined : columns[unknown]) ?? {};
  if (column !== undefined)
    throw new TrueupError('DESIRED_STATE_INVALID', `the database has no type ${column.type}`, {
      where: declaredAt(database, column.phase, column.source),
      remedy: UNKNOWN_NAME,
    });
  const pairs = await referencedPairs(changed, tables);
  const [incomparable] = await readIncomparable(session, pairs);
  const pair = incomparable === undefined ? undefined : pairs[incomparable];
  if (pair !== undefined)
    throw new TrueupError(
      'DESIRED_STATE_INVALID',
      `foreign key "${pair.key.name}" cannot be: ${pair.words}, and PostgreSQL does not compare those`,
      { where: declaredAt(database, pair.key.phase, pair.key.source), remedy: 'declare both columns of one type' },
    );
}

/** Columns of a type outside of the tenant, which may hold types of its own. */
async function typedColumns(tables: readonly DesiredTable[]) {
  const found = tables
    .flatMap((table) => table.columns)
    .map(async (column) => ({ column, bare: await bareType(column.type) }));
  return (await Promise.all(found)).flatMap(({ column, bare }) => (isKnowable(bare) ? [{ column, bare }] : []));
}

/** The types of both ends of each foreign key, column by column. */
async function referencedPairs(changed: readonly DesiredTable[], tables: readonly DesiredTable[]) {
  const typeOf = (of: string, column: string) =>
    tables.find(({ name }) => name === of)?.columns.find(({ name }) => name === column)?.type;
  const found = changed.flatMap((table) =>
    table.constraints.flatMap((key) =>
      // What tenants share is looked at by the changes that are onto it.
      key.kind === 'foreign-key' && key.references.schema === null
        ? key.columns.map(async (column, nth) => {
            const to = key.referencedColumns[nth] ?? '';
            const [own, other] = [typeOf(table.name, column), typeOf(key.references.table, to)];
            if (own === undefined || other === undefined) return [];
            const [from, onto] = await Promise.all([bareType(own), bareType(other)]);
            if (!isKnowable(from) || !isKnowable(onto) || from.array || onto.array) return [];
            const words = `${table.name}.${column} is ${own}, ${key.references.table}.${to} is ${other}`;
            return [{ key, from, to: onto, words }];
          })
        : [],
    ),
  );
  return (await Promise.all(found)).flat();
}

const isKnowable = (type: BareType | null): type is BareType => type !== null && type.schema !== TENANT_SCHEMA;

import { groupBy } from '../collections.js';
import type { DesiredTable } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { dropMaterializedView } from '../sql/ddl/view.js';
import { blocked, type Change, change, deferred, key } from './change.js';
import { blockedByUsers } from './column-replacement.js';
import { diffColumns } from './columns.js';
import { diffConstraints } from './constraints.js';
import type { DiffContext, OwnedIndex } from './context.js';
import { createTable, createView } from './create-table.js';
import { addedOnce } from './heirs.js';
import { sparingKin } from './kin.js';
import { persistence } from './persistence.js';
import { blockGroups, settle } from './settle.js';
import { exclusively } from './step.js';
import { diffIndexes } from './table-indexes.js';
import { relationsOf } from './view-needs.js';

/** The differ's answer for all that is no family member. */
export interface TenantDiff {
  readonly changes: readonly Change[];
  /** Columns that the changes replace, by table: the indexes on them go along. */
  readonly replaced: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Every change that brings a tenant to the declared state, families aside. Pure: what it cannot know it asks of
 * `context.facts`, and the caller diffs again with the answers.
 * @param apart owned indexes that no family claims
 */
export function diffTenant(apart: readonly OwnedIndex[], context: DiffContext): TenantDiff {
  const { actualTables } = context;
  const owned = groupBy(apart, (index) => index.table);
  // Owned indexes are read apart, and stand on columns all the same; a key may take one over, or need its name.
  const indexed = (actual: TableShape): TableShape => ({
    ...actual,
    indexes: [...actual.indexes, ...(owned.get(actual.name) ?? []).map(({ index }) => index)],
  });
  const columns = blockGroups(
    addedOnce(
      context.tables.flatMap((desired) => {
        const actual = actualTables.get(desired.name);
        return desired.view === null && actual?.kind === 'table'
          ? sparingKin(diffColumns(desired, indexed(actual), context), actual, context)
          : [];
      }),
      context,
    ),
  );
  const replaced = replacedColumns(columns, context);
  const changes = [...columns];
  for (const desired of context.tables) {
    const actual = actualTables.get(desired.name) ?? null;
    const gone = replaced.get(desired.name) ?? NONE;
    if (desired.view !== null) changes.push(...diffView(desired, desired.view, actual, context));
    else if (actual === null) changes.push(...missingTable(desired, context));
    else if (actual.kind !== 'table') changes.push(wrongKind(desired, actual));
    else {
      const constraints = diffConstraints(desired, indexed(actual), gone, context);
      const indexes = { desired, actual, owned: owned.get(desired.name) ?? [], replaced: gone };
      const made = [
        ...persistence(desired, actual, context),
        ...constraints.changes,
        ...diffIndexes({ ...indexes, adopted: constraints.adopted, unclaimed: constraints.unclaimed }, context),
      ];
      changes.push(...sparingKin(made, actual, context));
    }
  }
  return { changes: byRelease(changes, context), replaced };
}

const NONE: ReadonlySet<string> = new Set();

/** Columns that are really replaced, by table; what is refused, or waits for such, stays, with all that stands on it. */
function replacedColumns(
  columns: readonly Change[],
  { tables }: DiffContext,
): ReadonlyMap<string, ReadonlySet<string>> {
  const settled = settle(
    columns.map((made) => ({ change: made })),
    tableKeys(tables),
  );
  const pending = settled
    .map(({ change: made }) => made)
    .filter((made) => made.action === 'replace-column' && made.status === 'pending');
  return new Map(
    [...groupBy(pending, (made) => made.table)].map(([table, made]) => [table, new Set(made.map((one) => one.object))]),
  );
}

/**
 * A table that only extension phases speak of is made by the phase that declares its columns' bulk, the base phase:
 * where that is not part of this run there is nothing to add a column to.
 */
function missingTable(desired: DesiredTable, context: DiffContext): readonly Change[] {
  const phase = context.phases.find((candidate) => candidate.name === desired.phase);
  if (phase?.extension !== true) return createTable(desired, context);
  return [
    deferred(
      change({
        phase: desired.phase,
        action: 'create-table',
        table: desired.name,
        object: desired.name,
        reason: 'missing',
        steps: [],
      }),
      'the table belongs to a phase that this run does not touch',
      'run without --phase, or let the application’s own migration make it',
    ),
  ];
}

function diffView(
  desired: DesiredTable,
  view: { readonly query: string; readonly withData: boolean },
  actual: TableShape | null,
  context: DiffContext,
): readonly Change[] {
  if (actual === null) return createView(desired, view.query, view.withData, context);
  if (actual.kind !== 'materialized-view') return [wrongKind(desired, actual)];
  if (context.facts.sameView(desired.name, view.query) !== false && !namesMissing(view.query, context))
    return diffIndexes({ desired, actual, owned: [], replaced: NONE, adopted: NONE, unclaimed: [] }, context);
  const [create, ...indexes] = createView(desired, view.query, view.withData, context);
  if (create === undefined) return [];
  const replaced: Change = {
    ...create,
    action: 'replace-materialized-view',
    reason: 'its query differs from the declared one',
    frees: actual.indexes.map((index) => index.name),
    steps: [exclusively(desired.name, dropMaterializedView(desired.name)), ...create.steps],
  };
  const users = context.facts.users(desired.name, null);
  return [users.length > 0 ? blockedByUsers(replaced, users) : replaced, ...indexes];
}

/**
 * Whether the declared query reads a table that is not there. The server cannot compare the queries then, and need not: what a
 * view reads is there, so that this one reads another, which was moved or renamed under it.
 */
function namesMissing(query: string, { tables, actualTables }: DiffContext): boolean {
  const named = relationsOf(query);
  return tables.some(({ name }) => named.has(name) && !actualTables.has(name));
}

function wrongKind(desired: DesiredTable, actual: TableShape): Change {
  const action = desired.view === null ? 'create-table' : 'create-materialized-view';
  return blocked(
    change({
      phase: desired.phase,
      action,
      table: desired.name,
      object: desired.name,
      reason: `is a ${inWords(actual.kind)}, declared a ${inWords(desired.kind)}`,
      provides: [key.table(desired.name)],
      steps: [],
    }),
    'trueup never drops a table or a view to make room for another, and makes no partitioned table plain',
    'move it away in the application’s own migration, then apply',
  );
}

const inWords = (kind: TableShape['kind']): string => kind.replace('-', ' ');

/**
 * The application's own migrations come first: on a tenant of another release the base phase waits. One whose stamp cannot be
 * read may be of any, and is refused. Asked only where there is base drift, so that a converged fleet has none of its tables
 * read.
 */
function byRelease(changes: readonly Change[], context: DiffContext): readonly Change[] {
  const rule = context.release;
  const extensionPhases = new Set(context.phases.flatMap((phase) => (phase.extension ? [phase.name] : [])));
  const concerned = (made: Change) => !extensionPhases.has(made.phase) && made.status !== 'deferred';
  if (rule === null || !changes.some(concerned)) return changes;
  const stamp = context.facts.release();
  if (stamp === undefined || stamp === null || (stamp !== false && rule.accepts.includes(stamp))) return changes;
  const described = `these files describe ${rule.accepts.join(', ')}`;
  const held = (made: Change): Change =>
    stamp === false
      ? blocked(
          made,
          `the tenant’s release could not be read from ${rule.table}.${rule.column}: ${described}`,
          `let the role read ${rule.table} (row security included), then plan again`,
        )
      : deferred(
          made,
          `the tenant is at ${stamp}, ${described}`,
          'run the application’s migration, or use the files of that release',
        );
  return changes.map((made) => (concerned(made) ? held(made) : made));
}

/** What a tenant's tables are called, for {@link key.allTables}. */
export const tableKeys = (tables: readonly DesiredTable[]): readonly string[] =>
  tables.filter((table) => table.view === null).map((table) => key.table(table.name));

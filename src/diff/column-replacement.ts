import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredColumn } from '../desired-state/model.js';
import type { ColumnShape, ConstraintShape, IndexShape, TableShape } from '../shape/table-shape.js';
import { addColumn, alterColumn, alterDefault, dropColumn } from '../sql/ddl/column.js';
import { relativeSql, sql } from '../sql/template.js';
import { switchGroup } from './backend-switch.js';
import { blocked, type Change, change, key } from './change.js';
import { afterReferences, indexesOver, referenceGroup, standsInTheWay, undeclaredOver } from './column-references.js';
import type { DiffContext } from './context.js';
import type { ExistingColumn } from './existing-column.js';
import { computedFrom } from './generation.js';
import { familiesOver } from './indexed-columns.js';
import { hasVaryingDefault, isComputed, isValueless, lacksValue, withoutValue } from './new-values.js';
import { sparingIdentity, underIdentity } from './replica-identity.js';
import { underSharedKeys } from './shared-references.js';
import { exclusively, type Step } from './step.js';
import { typeVariables } from './type-parameters.js';
import { isWider } from './wider-type.js';

/**
 * A column of another type, collation or expression than declared. Where no row holds a value it is dropped and added
 * (under a millisecond, where ALTER TYPE rewrites); a type that becomes wider is altered; everything else would rewrite or
 * lose data on a populated table, and is refused.
 * @param going what stands on columns of the table and goes before they change
 */
export function replaceColumn(of: ExistingColumn, reason: string, going: readonly string[]): Change {
  const made = underSharedKeys(replacement(of, reason, going), of.actual);
  return made.status === 'pending' ? afterReferences(made, of) : made;
}

function replacement(of: ExistingColumn, reason: string, going: readonly string[]): Change {
  const { wanted, existing, actual, context } = of;
  const table = of.desired.name;
  const group = groupOf(of);
  const base = {
    phase: wanted.phase,
    table,
    object: wanted.name,
    reason,
    group,
    finds: wanted.finds ?? [],
    provides: [key.column(table, wanted.name)],
    needs: [key.table(table), ...computedFrom(table, wanted, context)],
  };
  const stays = (user: string) => group !== null || !going.includes(user);
  const users = context.facts.users(table, wanted.name).filter(stays);

  if (isWidening(wanted, existing)) {
    const altered = change({
      ...base,
      action: 'alter-column',
      steps: [exclusively(table, alterColumn(table, wanted.name, 'TYPE', relativeSql(wanted.type)))],
    });
    return users.length > 0 ? blockedByUsers(altered, users) : sparingRows(altered, actual, context);
  }

  const replaced = droppedAndAdded(base, of);
  const rows = context.facts.rows(table);
  const constrainedBy = actual.constraints.filter((constraint) => covers(constraint, wanted.name));
  const computed = existing.generated !== null || wanted.derived;
  const keepsRows = rows !== 'none' && (constrainedBy.length > 0 || losesValues(table, wanted, computed, context));
  // Where the rows refuse the change too, only that is said: to drop a view for it would gain nothing.
  if (users.length > 0 && !keepsRows) return blockedByUsers(replaced, users);

  if (constrainedBy.length > 0) {
    const retyped = change({
      ...base,
      action: 'alter-column',
      steps: retype(table, wanted, existing),
      assumptions: [{ kind: 'no-rows', table }],
    });
    if (rows !== 'none')
      return blocked(
        retyped,
        `table ${table} holds rows, and ${constrainedBy.map((constraint) => `constraint ${constraint.name}`).join(', ')} uses the column`,
        'change the column in the application’s own migration, which knows what its values mean',
      );
    // Without rows its constraints go and come too.
    return isRetypable(of) ? retyped : { ...replaced, assumptions: retyped.assumptions };
  }
  if (replaced.status === 'blocked') return replaced;
  const values = rows === 'none' ? 'none' : context.facts.values(table, wanted.name);
  if (values === 'none') return rows === 'none' ? replaced : amongRows(replaced, wanted, context);
  const evidence =
    values === 'some'
      ? `${table}.${wanted.name} holds values`
      : `whether ${table}.${wanted.name} holds values could not be told`;
  if (computed) return isValueless(wanted) ? withoutValue(replaced) : computedAgain(replaced, evidence, context);
  return blocked(replaced, `${evidence}, which cannot be computed again from the database`, remedyFor(wanted, group));
}

/** Whether ALTER TYPE takes the column, of a table without rows: it takes no generated one, and no identity that goes. */
const isRetypable = (of: ExistingColumn): boolean =>
  of.existing.generated === null &&
  of.wanted.generated === null &&
  (of.existing.identity === null || of.wanted.identity !== null) &&
  !standsInTheWay(of);

/** Of a table with rows. */
const losesValues = (table: string, wanted: DesiredColumn, computed: boolean, context: DiffContext): boolean =>
  !computed && context.facts.values(table, wanted.name) !== 'none';

/** The column goes and comes anew, empty. */
function droppedAndAdded(
  base: Pick<Change, 'phase' | 'table' | 'object' | 'reason' | 'group' | 'finds' | 'provides' | 'needs'>,
  { wanted, actual, context }: ExistingColumn,
): Change {
  const { table } = base;
  const going = indexesOver(wanted.name, actual, context);
  const more = undeclaredOver(wanted.name, actual, context);
  const made = change({
    ...base,
    action: 'replace-column',
    reason: more.length === 0 ? base.reason : `${base.reason}; with it go ${more.join(', ')}, which nothing declares`,
    hazards: ['COLUMN_DROPPED'],
    frees: going.map((index) => index.name),
    steps: [exclusively(table, dropColumn(table, wanted.name)), exclusively(table, addColumn(table, wanted))],
    assumptions: [{ kind: 'no-values', table, column: wanted.name }],
  });
  const identity = going.find(({ replicaIdentity }) => replicaIdentity);
  if (identity !== undefined) return sparingIdentity(made, identity);
  const family = familiesOver(table, wanted.name, context)[0];
  const isMember = family !== undefined && context.facts.indexesOver(table, wanted.name).identity;
  return isMember ? underIdentity(made, `an index of family ${family.label}`) : made;
}

/** The same where there are rows, none of which holds a value. */
function amongRows(replaced: Change, wanted: DesiredColumn, { facts }: DiffContext): Change {
  const checks = facts.domainChecks(wanted.type);
  if (isValueless(wanted) || lacksValue(wanted, checks)) return withoutValue(replaced);
  const rewrites = isComputed(wanted) || hasVaryingDefault(wanted) || checks.any;
  return rewrites ? { ...replaced, hazards: [...replaced.hazards, 'TABLE_REWRITE'] } : replaced;
}

/** The same though the column holds values, since they are computed: loses nothing, and rewrites the table. */
function computedAgain(replaced: Change, evidence: string, context: DiffContext): Change {
  const rebuilt: Change = { ...replaced, hazards: ['COLUMN_DROPPED', 'TABLE_REWRITE'], assumptions: [] };
  if (context.allow.has('rebuild-column')) return rebuilt;
  return blocked(
    rebuilt,
    `${evidence}; they can be computed again, by a rewrite of the table under ACCESS EXCLUSIVE`,
    'allow it with --allow rebuild-column, in a maintenance window',
  );
}

function remedyFor(wanted: DesiredColumn, group: string | null): string {
  const [parameter] = typeVariables(wanted.typeTemplate);
  if (parameter !== undefined)
    return `keep the ${parameter} that the tenant has, or let the application empty the column and fill it anew`;
  return wanted.filledBy === 'application'
    ? 'let the application empty the column, apply, and let it fill the column anew'
    : group === switchGroup(wanted.phase)
      ? 'this backend has no use for what is in the column: let the application empty the column, then apply'
      : wanted.generated !== null
        ? 'where its values are those of the expression, declare it `derived: true`; else change it in the application’s own migration'
        : 'change the column in the application’s own migration, which knows what its values mean';
}

/**
 * Columns whose type follows one parameter change together or not at all: half a dimension change is a broken tenant. So
 * do the columns that another backend wants of another type.
 */
export function groupOf(of: ExistingColumn): string | null {
  const { wanted, existing, context } = of;
  const [parameter] = typeVariables(wanted.typeTemplate).filter(
    (name) => context.parameters[name]?.forNewOnly === false,
  );
  if (parameter !== undefined) return `parameter ${parameter}`;
  const phase = context.phases.find((candidate) => candidate.name === wanted.phase);
  if (phase?.backend != null && !context.facts.sameType(wanted.type, existing.type)) return switchGroup(phase.name);
  return referenceGroup(of);
}

/** Of an empty table. A default may not cast to the new type, so it goes first. */
function retype(table: string, wanted: DesiredColumn, existing: ColumnShape): readonly Step[] {
  const collate = wanted.collation === null ? sql`` : sql` COLLATE ${relativeSql(wanted.collation)}`;
  const type = sql`${relativeSql(wanted.type)}${collate} USING NULL::${relativeSql(wanted.type)}`;
  return [
    ...(existing.default === null ? [] : [exclusively(table, alterDefault(table, wanted.name, null))]),
    exclusively(table, alterColumn(table, wanted.name, 'TYPE', type)),
    ...(existing.default === null || wanted.default === null
      ? []
      : [exclusively(table, alterDefault(table, wanted.name, wanted.default))]),
  ];
}

/** A change of a column, or of a materialized view, refused for what stands on it. */
export function blockedByUsers(made: Change, users: readonly string[]): Change {
  const on = made.action === 'replace-materialized-view' ? 'it' : 'the column';
  return blocked(
    made,
    `${users.join(', ')} depend${users.length === 1 ? 's' : ''} on ${on}, and PostgreSQL refuses to change it under them`,
    `drop what depends on it, apply, and make it again`,
  );
}

/**
 * A widened column that an expression names, refused where the table holds rows: of a check PostgreSQL reads every row again, an
 * index with an expression or a predicate it builds again, and nobody reads the table meanwhile. Indexes and keys of the column
 * itself stay as they are. (Seen with client_min_messages = debug1, PostgreSQL 15.)
 */
function sparingRows(altered: Change, actual: TableShape, context: DiffContext): Change {
  const { table, object: column } = altered;
  const named = (text: string | null) => text !== null && context.facts.columnsOf(text).includes(column);
  const computes = ({ keys, where }: Pick<IndexShape, 'keys' | 'where'>) =>
    [...keys.map((item) => item.expression), where].some(named);
  const families = familiesOver(table, column, context).filter((one) => computes(asOneIndex(one)));
  const hasMembers = families.length > 0 && context.facts.indexesOver(table, column).computed;
  const over = [
    ...actual.constraints.flatMap((one) => (one.kind === 'check' && named(one.expression) ? `check ${one.name}` : [])),
    ...actual.indexes.filter(computes).map(({ name }) => `index ${name}`),
    ...(hasMembers ? families.map(({ label }) => `index family ${label}`) : []),
  ];
  if (over.length === 0) return altered;
  if (context.facts.rows(table) === 'none') return { ...altered, assumptions: [{ kind: 'no-rows', table }] };
  const made: Change = { ...altered, hazards: ['TABLE_REWRITE'] };
  if (context.allow.has('rebuild-column')) return made;
  return blocked(
    made,
    `table ${table} holds rows, which PostgreSQL reads again under ACCESS EXCLUSIVE for ${over.join(', ')}`,
    'allow it with --allow rebuild-column, in a maintenance window',
  );
}

/** Only the catalog changes: {@link isWider}. */
const isWidening = (wanted: DesiredColumn, existing: ColumnShape): boolean =>
  wanted.collation === existing.collation &&
  wanted.generated === null &&
  existing.generated === null &&
  isWider(wanted.type, existing.type);

function covers(constraint: ConstraintShape, column: string): boolean {
  return 'columns' in constraint && constraint.columns.includes(column);
}

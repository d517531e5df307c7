import type { DesiredTable } from '../desired-state/model.js';
import { columnDefinition } from '../sql/ddl/column.js';
import { addConstraint, constraintDefinition } from '../sql/ddl/constraint.js';
import { createIndex } from '../sql/ddl/index.js';
import { tableName } from '../sql/ddl/table.js';
import { identifierVariable, joinSql, relativeSql, sql } from '../sql/template.js';
import { refuseBuild } from './build-refusal.js';
import { type Change, change, key } from './change.js';
import { withTenantsOwnType } from './columns.js';
import { constraintFacets } from './constraint-facets.js';
import type { DiffContext } from './context.js';
import { indexDefinition } from './index-steps.js';
import { ontoShared, resolved } from './shared-references.js';
import { type Step, unlocked } from './step.js';
import { viewNeeds } from './view-needs.js';

/** The variable of {@link createTable}'s templates that names the role which new tables belong to. */
export const OWNER = identifierVariable('owner');

/**
 * A missing table with all that needs no other table: one transaction's work, since nobody can have rows in it. Foreign
 * keys are changes of their own, after the tables and keys that they need.
 */
export function createTable(desired: DesiredTable, context: DiffContext): readonly Change[] {
  const { name: table, phase } = desired;
  const columns = desired.columns.map((column) => withTenantsOwnType(column, undefined, context));
  const inline = desired.constraints.filter((constraint) => constraint.kind !== 'foreign-key');
  const body = [...columns.map((column) => columnDefinition(column)), ...inline.map(constraintDefinition)];
  const create = change({
    phase,
    action: 'create-table',
    table,
    object: table,
    reason: 'missing',
    finds: columns.flatMap((column) => column.finds ?? []),
    takes: [
      { name: table, of: 'table' },
      ...inline.flatMap((constraint) => constraintFacets(table, constraint, context).takes),
    ],
    provides: [
      key.table(table),
      ...columns.map((column) => key.column(table, column.name)),
      ...inline.flatMap((constraint) => constraintFacets(table, constraint, context).provides),
    ],
    steps: [
      unlocked(
        sql`CREATE ${desired.persistence === 'unlogged' ? 'UNLOGGED ' : ''}TABLE ${tableName(table)} (${joinSql(body, ', ')})`,
      ),
      ...ownership('TABLE', table, context),
    ],
  });
  const foreignKeys = desired.constraints
    .filter((constraint) => constraint.kind === 'foreign-key')
    .map((constraint) => {
      const { references } = constraint;
      const { schema, table: onto } = resolved(references, context);
      const made = change({
        phase: constraint.phase,
        action: 'add-constraint',
        table,
        object: constraint.name,
        reason: 'missing',
        ...constraintFacets(table, constraint, context),
        steps: [
          {
            sql: addConstraint(table, constraint),
            mode: 'transaction',
            lock: {
              mode: 'SHARE ROW EXCLUSIVE',
              table: schema !== null || onto === table ? null : onto,
              ...(schema === null ? {} : { beside: references }),
            },
          },
        ],
      });
      return ontoShared(made, desired, context);
    });
  return [create, ...newIndexes(desired, context), ...foreignKeys];
}

/** A missing materialized view, with its indexes. */
export function createView(
  desired: DesiredTable,
  query: string,
  withData: boolean,
  context: DiffContext,
): readonly Change[] {
  const { name: table, phase } = desired;
  const create = change({
    phase,
    action: 'create-materialized-view',
    table,
    object: table,
    reason: 'missing',
    takes: [{ name: table, of: 'table' }],
    provides: [key.table(table)],
    needs: viewNeeds(query, context),
    hazards: withData ? ['TABLE_SCAN'] : [],
    steps: [
      unlocked(
        sql`CREATE MATERIALIZED VIEW ${tableName(table)} AS ${relativeSql(query)} WITH ${withData ? '' : 'NO '}DATA`,
      ),
      ...ownership('MATERIALIZED VIEW', table, context),
    ],
  });
  return [create, ...newIndexes(desired, context)];
}

/** Indexes of a table that this run makes: it has no rows, so that those which need rows wait for them. */
function newIndexes(desired: DesiredTable, context: DiffContext): readonly Change[] {
  const { name: table } = desired;
  return desired.indexes.flatMap((index) => {
    if (index.worthRows !== null) return [];
    const where = index.where === null ? null : relativeSql(index.where);
    const made = change({
      phase: index.phase,
      action: 'create-index',
      table,
      object: index.name,
      reason: 'missing',
      takes: [{ name: index.name, of: 'index' }],
      needs: [key.table(table)],
      provides: [key.index(table, index.name), key.built(index.phase, table)],
      steps: [unlocked(createIndex(indexDefinition(table, index, where), index.name, false))],
    });
    return [refuseBuild(made, index, { desired, actual: null, replaced: new Set() }, context)];
  });
}

function ownership(kind: string, table: string, context: DiffContext): readonly Step[] {
  return context.facts.owner() === null ? [] : [unlocked(sql`ALTER ${kind} ${tableName(table)} OWNER TO ${OWNER}`)];
}

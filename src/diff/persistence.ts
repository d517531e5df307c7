import type { DesiredTable } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { tableName } from '../sql/ddl/table.js';
import { sql } from '../sql/template.js';
import { blocked, type Change, change, key } from './change.js';
import type { DiffContext } from './context.js';
import { exclusively } from './step.js';

/**
 * An empty table becomes logged or unlogged as declared, after the tables that foreign keys tie it to and that become so as
 * well: a logged table may reference logged ones only.
 */
export function persistence(desired: DesiredTable, actual: TableShape, context: DiffContext): readonly Change[] {
  if (actual.persistence === desired.persistence) return [];
  const [is, wanted] = [actual, desired].map((of) => (of.persistence === 'unlogged' ? 'UNLOGGED' : 'LOGGED'));
  const { name: table } = desired;
  const altered = change({
    phase: desired.phase,
    action: 'alter-table',
    table,
    object: table,
    reason: `is ${is}, declared ${wanted}`,
    provides: [key.persistence(table)],
    assumptions: [{ kind: 'no-rows', table }],
    steps: [exclusively(table, sql`ALTER TABLE ${tableName(table)} SET ${wanted ?? ''}`)],
  });
  if (context.facts.rows(table) !== 'none')
    return [
      blocked(
        altered,
        `ALTER TABLE … SET ${wanted} rewrites the table under ACCESS EXCLUSIVE`,
        `run ALTER TABLE ${desired.name} SET ${wanted} in a maintenance window`,
      ),
    ];
  const becomesSo = (name: string) =>
    context.tables.some((other) => other.name === name && other.persistence === desired.persistence);
  const ties = context.facts.persistenceTies(table);
  const lasting = ties.filter(({ other }) => other === null || !becomesSo(other));
  const needs = ties.flatMap(({ other }) => (other !== null && becomesSo(other) ? key.persistence(other) : []));
  if (lasting.length === 0) return [{ ...altered, needs }];
  const one = lasting.length === 1;
  const others = [...new Set(lasting.flatMap(({ other }) => other ?? []))].join(', ');
  return [
    blocked(
      altered,
      `${lasting.map(({ what }) => what).join(', ')} keep${one ? 's' : ''} it ${is}: PostgreSQL refuses to make it ${wanted} under ${one ? 'that' : 'those'}`,
      `drop what keeps it so${others === '' ? '' : `, or make ${others} ${wanted} first`}, then apply`,
    ),
  ];
}

import type { Member, TenantChange } from '../diff/change.js';
import type { Offenders, Step } from '../diff/step.js';
import { type ObjectName, renderSql } from '../sql/template.js';

/** A step for one tenant and, of a family's change, one member: ready to be sent. */
export interface Statement {
  readonly sql: string;
  readonly step: Step;
  /** The name of the index that it builds. */
  readonly builds: string | null;
  /** What takes back the change's earlier steps when this one fails. */
  readonly undo: readonly Statement[];
  /** Counts the rows that it fails for, and the words for them. */
  readonly offenders: CountStatement | null;
}

/** {@link Offenders} for one tenant and member. */
export interface CountStatement {
  readonly sql: string;
  readonly of: Offenders;
}

/** The values that a tenant fills into templates. */
export interface TenantValues {
  readonly schema: string;
  /** Null where no change makes a table, and where the session's own role is to have it. */
  readonly owner: string | null;
}

/** The statements of a change, member by member, each member's in order. */
export function statementsOf(item: TenantChange, tenant: TenantValues): readonly Statement[] {
  const members: readonly Member[] = item.members ?? [{}];
  return members.flatMap((member) => {
    const values = { ...member, schema: tenant.schema, ...(tenant.owner === null ? {} : { owner: tenant.owner }) };
    return item.change.steps.map((step) => statementOf(step, values));
  });
}

function statementOf(step: Step, values: Readonly<Record<string, string>>): Statement {
  return {
    sql: renderSql(step.sql, values),
    step,
    builds: step.builds === undefined ? null : nameOf(step.builds, values),
    offenders:
      step.offenders === undefined ? null : { sql: renderSql(step.offenders.count, values), of: step.offenders },
    undo: (step.undo ?? []).map((undoing) => statementOf(undoing, values)),
  };
}

/** A fixed name, or what a member's variable stands for. */
const nameOf = (index: ObjectName, values: Readonly<Record<string, string>>): string | null =>
  typeof index === 'string' ? index : (values[index.variable] ?? null);

import type { Session } from '../database/session.js';
import type { IndexFamily } from '../desired-state/model.js';
import type { ChosenPartition } from './chosen-partition.js';
import { columnPartition } from './column-partition.js';
import type { TenantProbe } from './context.js';
import { memberPartition } from './member-partition.js';
import type { Relation } from './relation.js';

/**
 * The partition that the request names, else the largest by a sample of the table's blocks. Null: it holds no row.
 * @throws {TrueupError} USAGE for values that no partition has
 */
export async function choosePartition(
  session: Session,
  of: TenantProbe,
  relation: Relation,
  values: Readonly<Record<string, string>>,
): Promise<ChosenPartition | null> {
  return of.probe.serves.kind === 'family'
    ? memberPartition(session, of, relation, of.served as IndexFamily, values)
    : columnPartition(session, of, relation, values);
}

import type { ReleaseRule } from '../desired-state/model.js';
import { change, key, type TenantChange } from '../diff/change.js';
import { tableName } from '../sql/ddl/column.js';
import { quoteLiteral } from '../sql/quote.js';
import { name, SCHEMA, sql } from '../sql/template.js';

/** A tenant that is made: its schema first, its release stamp last, so that half a tenant is never taken for a whole one. */
export function provisioned(
  changes: readonly TenantChange[],
  release: ReleaseRule | null,
  phase: string,
): readonly TenantChange[] {
  const create = change({
    phase,
    action: 'create-schema',
    table: '',
    object: 'schema',
    reason: 'missing',
    steps: [{ sql: sql`CREATE SCHEMA ${SCHEMA}`, mode: 'transaction', lock: { mode: 'NONE', table: null } }],
  });
  return [{ change: create, members: null }, ...changes, ...stamp(release, phase)];
}

function stamp(release: ReleaseRule | null, phase: string): readonly TenantChange[] {
  const current = release?.accepts.at(-1);
  if (release === null || current === undefined) return [];
  const made = change({
    phase,
    action: 'stamp-release',
    table: release.table,
    object: release.column,
    reason: `these files describe ${current}`,
    needs: [key.table(release.table)],
    steps: [
      {
        sql: sql`INSERT INTO ${tableName(release.table)} (${name(release.column)}) VALUES (${quoteLiteral(current)})`,
        mode: 'transaction',
        lock: { mode: 'NONE', table: null },
      },
    ],
  });
  return [{ change: made, members: null }];
}

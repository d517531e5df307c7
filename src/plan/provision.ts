import type { ReleaseRule } from '../desired-state/model.js';
import { blocked, change, heldLike, key, revised, type TenantChange } from '../diff/change.js';
import { unlocked } from '../diff/step.js';
import { tableName } from '../sql/ddl/table.js';
import { quoteLiteral } from '../sql/quote.js';
import { name, SCHEMA, sql } from '../sql/template.js';

/**
 * A tenant that is made: its schema first, where it does not exist, its release stamp last, so that half a tenant is never
 * taken for a whole one. A schema that somebody made ahead is stamped as well: unstamped, the application's migration
 * would start from nothing and fail at the first table.
 */
export function provisioned(
  changes: readonly TenantChange[],
  release: ReleaseRule | null,
  phase: string,
  schemaExists: boolean,
): readonly TenantChange[] {
  const create = change({
    phase,
    action: 'create-schema',
    table: '',
    object: 'schema',
    reason: 'missing',
    steps: [unlocked(sql`CREATE SCHEMA ${SCHEMA}`)],
  });
  // Without its tables it would be a schema that no run takes for a tenant.
  const refused = changes.find(
    ({ change: made }) => made.action === 'create-table' && made.status === 'blocked',
  )?.change;
  const schema = refused === undefined ? create : blocked(create, refused.obstacle ?? '', refused.remedy ?? '');
  // In a schema that is not made nothing can be.
  const able =
    schemaExists || schema.status !== 'blocked'
      ? changes
      : revised(changes, (made) =>
          made.status === 'pending'
            ? heldLike(schema, made, `waits for create-schema, which is blocked: ${schema.obstacle}`, 'create-schema')
            : made,
        );
  const makesStampTable = able.some(
    ({ change: made }) => made.action === 'create-table' && made.table === release?.table && made.status === 'pending',
  );
  return [
    ...(schemaExists ? [] : [{ change: schema, members: null }]),
    ...able,
    ...(makesStampTable ? stamp(release, phase) : []),
  ];
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
      unlocked(
        sql`INSERT INTO ${tableName(release.table)} (${name(release.column)}) VALUES (${quoteLiteral(current)})`,
      ),
    ],
  });
  return [{ change: made, members: null }];
}

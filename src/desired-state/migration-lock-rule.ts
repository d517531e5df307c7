import { shown } from '../did-you-mean.js';
import { columnsOf } from '../sql/columns-of.js';
import type { FleetDocument } from './documents.js';
import type { Fragment } from './fragments.js';
import type { MigrationLockRule } from './model.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** The lock of the application's own migration, its expressions noted among the fragments that a server evaluates. */
export function migrationLockRule(
  document: FleetDocument,
  root: Place,
  fragments: Fragment[],
): MigrationLockRule | null {
  const { migration_lock: lock } = document;
  if (lock === undefined) return null;
  const place = within(root, 'migration_lock');
  for (const key of ['key', 'base_schema_key'] as const) {
    const text = lock[key];
    if (text === undefined) continue;
    fragments.push({
      kind: 'expression',
      text,
      place: within(place, key),
      evaluated: true,
      sourceOffset: (offset) => offset,
    });
  }
  return { key: lock.key, baseSchemaKey: lock.base_schema_key ?? null, source: valueAt(place) };
}

/** A key may depend on the name of the schema and on nothing else. Only for expressions that have been parsed. */
export async function checkMigrationLockColumns(rule: MigrationLockRule | null, problems: Problems): Promise<void> {
  if (rule === null) return;
  for (const expression of [rule.key, rule.baseSchemaKey]) {
    for (const column of expression === null ? [] : await columnsOf(expression))
      if (column !== 'schema')
        problems.invalid(
          `a key of migration_lock names the column ${shown(column)}`,
          rule.source,
          'the one column that there is here is schema, the name of the tenant as text',
        );
  }
}

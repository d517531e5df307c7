import type { Row, Session } from '../database/session.js';
import { bareType } from '../sql/bare-type.js';
import { TENANT_SCHEMA } from '../sql/template.js';
import { readIncomparable } from './declared-types.js';
import type { SharedKey, SharedKeyFault } from './fact-types.js';
import { relationNamed } from './named-schemas.js';

/** Why no foreign key can be onto it, or null. Reads catalogs alone: the table is not locked. */
export async function readSharedKeyFault(session: Session, key: SharedKey): Promise<SharedKeyFault | null> {
  const { schema, table, columns, logged } = key;
  const [found] = await session.query<SharedRow>(SHARED_SQL, [schema, table, columns]);
  if (found === undefined) return { kind: 'no-table' };
  if (!found.plain) return { kind: 'no-plain-table' };
  const missing = columns.find((column) => !found.columns.includes(column));
  if (missing !== undefined) return { kind: 'no-column', column: missing };
  if (!found.keyed) return { kind: 'no-key' };
  if (logged && found.unlogged) return { kind: 'unlogged' };
  return incomparable(session, key, found);
}

/** As far as types can be told by their names: the tenant's own are its own. */
async function incomparable(session: Session, { columns, types }: SharedKey, found: SharedRow) {
  const asked = columns.map(async (column, nth) => {
    const at = found.columns.indexOf(column);
    const declared = types[nth] ?? '';
    const from = await bareType(declared);
    if (from === null || from.array || from.schema === TENANT_SCHEMA) return [];
    const to = { schema: found.type_schemas[at] ?? '', name: found.type_names[at] ?? '' };
    return [{ from, to, fault: { kind: 'types', column, declared, its: found.types[at] ?? '' } as const }];
  });
  const pairs = (await Promise.all(asked)).flat();
  const [first] = await readIncomparable(session, pairs);
  return first === undefined ? null : (pairs[first]?.fault ?? null);
}

interface SharedRow extends Row {
  readonly plain: boolean;
  readonly unlogged: boolean;
  readonly keyed: boolean;
  readonly columns: readonly string[];
  readonly types: readonly string[];
  readonly type_schemas: readonly string[];
  readonly type_names: readonly string[];
}

/** Which keys will do: transformFkeyCheckAttrs in PostgreSQL's tablecmds.c. */
const SHARED_SQL = `
select c.relkind in ('r', 'p') plain, c.relpersistence <> 'p' unlogged, a.columns, a.types, a.type_schemas, a.type_names,
       exists (select from pg_catalog.pg_index i
                where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
                  and i.indnkeyatts = pg_catalog.cardinality($3::text[])
                  and (i.indkey::int2[])[0:i.indnkeyatts - 1] @> a.numbers and a.numbers @> (i.indkey::int2[])[0:i.indnkeyatts - 1]) keyed
  from ${relationNamed('$1', '$2')}
 cross join lateral (
   select coalesce(pg_catalog.array_agg(a.attnum), '{}') numbers, coalesce(pg_catalog.array_agg(a.attname::text), '{}') columns,
          coalesce(pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod)), '{}') types,
          coalesce(pg_catalog.array_agg(n.nspname::text), '{}') type_schemas, coalesce(pg_catalog.array_agg(t.typname::text), '{}') type_names
     from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname = any($3::name[])) a`;

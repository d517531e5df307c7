import type { TestDatabase } from './test-database.js';

/**
 * Every object of a schema in words that name no schema, sorted; kinds apart. Positions of columns are no part of it, nor
 * are the casts and parentheses in which pg_get_expr's text differs from what it was parsed from.
 */
export async function catalogOf(test: Pick<TestDatabase, 'query'>, schema: string) {
  const read = async (sql: string): Promise<readonly string[]> =>
    (await test.query<{ line: string }>(sql, [schema]))
      .map(({ line }) => line.replaceAll(new RegExp(`\\b${schema}\\.`, 'gu'), ''))
      .map((line) => line.replaceAll(/::(?:character varying|text)(?:\[\])?|[()]/gu, ''))
      .sort();
  return {
    relations: await read(
      `select concat_ws(' ', relkind, relname, relpersistence, relispopulated, pg_get_userbyid(relowner), reloptions) line
         from pg_class where relnamespace = $1::regnamespace`,
    ),
    columns: await read(
      `select concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
                a.attcollation, pg_get_expr(d.adbin, d.adrelid)) line
         from pg_attribute a join pg_class c on c.oid = a.attrelid
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'm') and a.attnum > 0 and not a.attisdropped`,
    ),
    constraints: await read(
      `select concat_ws(' ', conrelid::regclass, conname, contype, convalidated, pg_get_constraintdef(oid)) line
         from pg_constraint where connamespace = $1::regnamespace`,
    ),
    indexes: await read(
      `select concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique, i.indisprimary) line
         from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace`,
    ),
    views: await read(
      `select concat_ws(' ', relname, pg_get_viewdef(oid)) line from pg_class where relnamespace = $1::regnamespace and relkind = 'm'`,
    ),
    sequences: await read(
      `select concat_ws(' ', c.relname, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, d.refobjid::regclass,
                d.refobjsubid, d.deptype) line
         from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_depend d on d.objid = c.oid and d.deptype in ('a', 'i')
        where c.relnamespace = $1::regnamespace`,
    ),
  };
}

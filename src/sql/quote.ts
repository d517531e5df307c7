/**
 * A name as SQL, always quoted unless it is a plain lower-case word that no PostgreSQL from 14 to 18 reserves.
 * The rule is quote_ident's, by a fixed list: the client must not ask the server for every name.
 */
export function quoteIdentifier(identifier: string): string {
  if (identifier.includes('\0')) throw new Error('an identifier cannot contain a NUL character');
  return /^[a-z_][a-z0-9_]*$/u.test(identifier) && !KEYWORDS.has(identifier)
    ? identifier
    : `"${identifier.replaceAll('"', '""')}"`;
}

/** A value as a string constant that reads the same under every setting of standard_conforming_strings. */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new Error('a value cannot contain a NUL character');
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Every word that quote_ident quotes: all but the unreserved keywords (PostgreSQL 18's src/include/parser/kwlist.h). */
const KEYWORDS = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast ' +
    'char character check coalesce collate collation column concurrently constraint create cross current_catalog ' +
    'current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable ' +
    'desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group ' +
    'grouping having ilike in initially inner inout int integer intersect interval into is isnull join json_array ' +
    'json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value ' +
    'json lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none ' +
    'normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position ' +
    'precision primary real references returning right row select session_user setof similar smallint some substring ' +
    'symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user using ' +
    'values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest ' +
    'xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable'
  ).split(' '),
);

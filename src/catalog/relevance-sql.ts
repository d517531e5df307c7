import { TEMPORARY_PREFIX } from '../sql/temporary-name.js';

/**
 * The conditions of {@link relevantShape} as SQL, over table `r` of `rel`: all is relevant where `r.columns` is null. They may
 * let more pass, never less.
 */
export const isRelevantColumn = (column: string): string =>
  `(r.columns is null or ${column} = any(r.columns) or ${isTemporary(column)})`;

/** Of a column whose default and constraints are relevant too. */
export const isChangeableColumn = (column: string): string =>
  `(r.columns is null or ${column} = any(r.changeable) or ${isTemporary(column)})`;

/** The first name, byte by byte, that no longer begins with {@link TEMPORARY_PREFIX}. */
const AFTER_TEMPORARY = TEMPORARY_PREFIX.replace(/.$/u, (last) => String.fromCharCode(last.charCodeAt(0) + 1));

/** Of index `i` (in pg_class `ic`). */
export const RELEVANT_INDEX = `(ic.relam = any(r.methods) or r.columns is null or ic.relname = any(r.names)
      or not (i.indisvalid and i.indisready and i.indislive) or ic.relname::text ^@ any(r.prefixes) or ${isTemporary('ic.relname')})`;

/**
 * Common table expressions over `ns` and `cut`, by which {@link PERHAPS_RELEVANT} tells an index: operator classes of relevant
 * methods, and whatever has a relevant name. Its key's class says of which method an index is, so that no index is looked up in
 * pg_class only to be left out: of the reference shape, four of seven.
 */
export const NAMED_INDEXES = `
classes as materialized (
  select c.oid from pg_catalog.pg_opclass c where c.opcmethod in (select pg_catalog.unnest(methods) from cut)),
named as materialized (
  select c.oid from ns n cross join lateral (
    select c.oid from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relname = any(array(select pg_catalog.unnest(names) from cut)) offset 0) c
  union all
  select c.oid from pg_catalog.pg_class c
   where c.relname >= '${TEMPORARY_PREFIX}' and c.relname < '${AFTER_TEMPORARY}' and c.relnamespace in (select oid from ns)),`;

/** {@link RELEVANT_INDEX} as far as pg_index `i` tells it: lets more pass. */
export const PERHAPS_RELEVANT = `(i.indclass[0] in (select oid from classes) or r.columns is null or r.prefixes <> '{}'
      or not (i.indisvalid and i.indisready and i.indislive) or i.indexrelid in (select oid from named))`;

/**
 * Of constraint `k`.
 * @param numbers those of the changeable columns, as an array
 */
export const isRelevantConstraint = (numbers: string): string =>
  `(r.columns is null or k.conname = any(r.names) or ${isTemporary('k.conname')} or k.conkey && ${numbers}
      or k.confrelid <> 0 and k.confrelid in (select oid from rel where not bare) or k.conindid <> 0 and k.conindid in (select indexrelid from unusable))`;

function isTemporary(name: string): string {
  return `${name}::text ^@ '${TEMPORARY_PREFIX}'`;
}

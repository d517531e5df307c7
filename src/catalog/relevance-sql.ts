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

/** Of index `i` (in pg_class `ic`). */
export const RELEVANT_INDEX = `(ic.relam = any(r.methods) or r.columns is null or ic.relname = any(r.names)
      or not (i.indisvalid and i.indisready and i.indislive) or ic.relname::text ^@ any(r.prefixes))`;

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

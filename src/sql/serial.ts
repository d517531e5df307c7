import { quoteIdentifier } from './quote.js';
import { TENANT_SCHEMA_SQL } from './template.js';

/** The most bytes of a name that PostgreSQL keeps. */
const LONGEST = 63;

/**
 * The name that PostgreSQL gives the sequence of a serial column: `TABLE_COLUMN_seq`, the longer of the two cut until it
 * fits (makeObjectName of indexcmds.c). Where another object has that name the server takes the next free one.
 */
export function serialSequence(table: string, column: string): string {
  const room = LONGEST - '__seq'.length;
  let [left, right] = [Buffer.byteLength(table), Buffer.byteLength(column)];
  while (left + right > room) {
    if (left > right) left -= 1;
    else right -= 1;
  }
  return `${clipped(table, left)}_${clipped(column, right)}_seq`;
}

/** A serial column's default, relative to the tenant, as the server writes it. */
export function serialDefault(table: string, column: string): string {
  const sequence = `${TENANT_SCHEMA_SQL}.${quoteIdentifier(serialSequence(table, column))}`;
  return `nextval('${sequence.replaceAll("'", "''")}'::regclass)`;
}

/** The pseudo-type with which CREATE TABLE makes a serial column of an integer type. */
export const serialType = (type: string): string =>
  ({ smallint: 'smallserial', int2: 'smallserial', bigint: 'bigserial', int8: 'bigserial' })[
    type.trim().toLowerCase()
  ] ?? 'serial';

/** The first bytes of a text, never half a character. */
function clipped(text: string, bytes: number): string {
  let out = '';
  for (const character of text) {
    if (Buffer.byteLength(out + character) > bytes) break;
    out += character;
  }
  return out;
}

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { SHIPPED } from './shipped.js';

const TABLE = 'directives';
const COLUMN = 'bench_note';
const INDEX = 'idx_directives_bench_created';

const IN_TABLE = `c.relname = '${TABLE}' AND c.relnamespace = ANY ($1::regnamespace[])`;

/** The shipped desired state and one new column and one new index, in a directory of its own. */
export interface WiderState {
  readonly directory: string;
  readonly remove: () => void;
}

/** Writes it. */
export function writeWiderState(): WiderState {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-bench-state-'));
  cpSync(SHIPPED, directory, { recursive: true });
  const file = join(directory, 'base.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.setIn(['tables', TABLE, 'columns', COLUMN], 'text');
  document.addIn(['tables', TABLE, 'indexes'], document.createNode({ name: INDEX, keys: ['created_at'] }));
  writeFileSync(file, document.toString({ lineWidth: 0 }));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** What takes both back from some tenants. */
export const narrowingStatements = (schemas: readonly string[]): readonly string[] =>
  schemas.flatMap((schema) => [
    `DROP INDEX ${schema}.${INDEX}`,
    `ALTER TABLE ${schema}.${TABLE} DROP COLUMN ${COLUMN}`,
  ]);

/**
 * What takes the dropped columns out of the catalogs, for a superuser alone. They stay there for good, one more with every apply
 * that is measured: trueup's readings go through them, and psql's statements do not. Nothing but an empty table bears that.
 * $1: the schemas.
 */
export const FORGETTING_STATEMENTS: readonly string[] = [
  `DELETE FROM pg_attribute a USING pg_class c WHERE c.oid = a.attrelid AND a.attisdropped AND ${IN_TABLE}`,
  `UPDATE pg_class c SET relnatts = (SELECT max(a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid) WHERE ${IN_TABLE}`,
];

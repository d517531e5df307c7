import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { SHIPPED } from './shipped.js';

const TABLE = 'directives';
const COLUMN = 'bench_note';
const INDEX = 'idx_directives_bench_created';

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

/** What takes both back from a tenant. */
export const narrowingStatements = (schema: string): readonly string[] => [
  `DROP INDEX ${schema}.${INDEX}`,
  `ALTER TABLE ${schema}.${TABLE} DROP COLUMN ${COLUMN}`,
];

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { quoteIdentifier } from '../../src/sql/quote.js';

/** One tenant of the real application, as pg_dump prints it; lies beside the project, not in it. */
const FILE = fileURLToPath(new URL('../../../shared/reference/hindsight-tenant.sql', import.meta.url));

/** The reference tenant's statements under another schema's name; null when the file is not there. */
export function referenceTenantSql(schema: string): string | null {
  if (!existsSync(FILE)) return null;
  const quoted = quoteIdentifier(schema);
  // A function, because `$&` in a schema's name must stay what it is.
  return readFileSync(FILE, 'utf8').replaceAll(/\btenant_a\b/gu, () => quoted);
}

/** Creates the schema and fills it; the database needs vector and pg_trgm in public. */
export async function loadReferenceTenant(
  database: { exec(script: string): Promise<unknown> },
  schema: string,
): Promise<void> {
  const sql = referenceTenantSql(schema);
  if (sql === null) throw new Error(`no reference tenant: ${FILE} is missing`);
  await database.exec(sql);
}

import type { Session } from '../database/session.js';
import type { TenantRule } from '../desired-state/model.js';
import { closest } from '../did-you-mean.js';
import { shellQuoted } from '../shell-quoted.js';
import { TrueupError } from '../trueup-error.js';
import type { Discovery, TenantSelection } from './discover.js';
import { noTenant } from './no-tenant.js';
import { asTenant, readSchemas } from './schema-rows.js';

/**
 * The tenants that are named, whatever they hold.
 * @throws {TrueupError} UNKNOWN_SCHEMA for one that is not there or cannot be, NO_TENANT where all of them are excluded.
 */
export async function namedTenants(session: Session, rule: TenantRule, selection: TenantSelection): Promise<Discovery> {
  const rows = await readSchemas(session, rule, selection);
  const bySchema = new Map(rows.map((row) => [row.schema, row]));
  const absent = [...new Set(selection.schemas)].filter((schema) => !bySchema.has(schema));
  for (const schema of absent) refuseImpossible(schema);
  if (absent.length > 0 && !selection.allowAbsent) {
    const [first = ''] = absent;
    const schemas = await session.query<{ name: string }>(EVERY_SCHEMA);
    const names = schemas.map(({ name }) => name);
    const near = closest(first, names);
    const listed = first.split(',').map((part) => part.trim());
    const areThere = listed.length > 1 && listed.every((part) => names.includes(part));
    throw new TrueupError('UNKNOWN_SCHEMA', `schema ${quoted(first)} does not exist`, {
      where: `--schema ${first}`,
      remedy: areThere
        ? 'give each schema a --schema of its own'
        : `${near === null ? '' : `did you mean ${quoted(near)}? `}To make a new tenant: trueup apply --create-schema --schema ${shellQuoted(first)}`,
    });
  }
  const system = selection.schemas.find((schema) => bySchema.get(schema)?.system === true);
  if (system !== undefined)
    throw new TrueupError(
      'UNKNOWN_SCHEMA',
      `schema ${quoted(system)} belongs to PostgreSQL or to an extension and is never a tenant`,
      {
        where: `--schema ${system}`,
        remedy: 'name a schema that holds the application’s tables',
      },
    );
  const named = [...new Set(selection.schemas)].flatMap((schema) => bySchema.get(schema) ?? []);
  const tenants = named.filter((row) => !row.excluded).map(asTenant);
  if (tenants.length === 0 && absent.length === 0 && !selection.allowEmpty)
    throw noTenant(`what --schema names is excluded: ${named.map(({ schema }) => quoted(schema)).join(', ')}`, true);
  if (absent.length > 0) await refuseExcluded(session, [...rule.exclude, ...selection.exclude], absent);
  return { tenants, lookAlikes: [], absent, missing: [] };
}

/** A schema that was made all the same would be no tenant to the reading that looks at what became of it. */
async function refuseExcluded(session: Session, patterns: readonly string[], absent: readonly string[]): Promise<void> {
  if (patterns.length === 0) return;
  const [row] = await session.query<{ name: string }>(
    'select s.name from pg_catalog.unnest($1::text[]) s(name) where s.name like any ($2::text[]) order by 1',
    [absent, patterns],
  );
  if (row === undefined) return;
  throw new TrueupError('UNKNOWN_SCHEMA', `schema ${quoted(row.name)} would be no tenant: a pattern excludes it`, {
    where: `--schema ${row.name}`,
    remedy: 'give it another name, or change the pattern (exclude in fleet.yaml, --exclude-schema)',
  });
}

/**
 * No schema can have such a name. A plan would show it as to be made and apply fail; of one that is too long the server would make
 * a schema of another name, and the tenant's tables find none.
 */
function refuseImpossible(schema: string): void {
  const bytes = Buffer.byteLength(schema);
  const why =
    schema === ''
      ? 'it is empty'
      : bytes > 63
        ? `it has ${bytes} bytes, and PostgreSQL keeps 63`
        : schema.startsWith('pg_')
          ? 'names that begin with pg_ are kept for PostgreSQL’s own'
          : null;
  if (why === null) return;
  throw new TrueupError('UNKNOWN_SCHEMA', `no schema can be called ${quoted(schema)}: ${why}`, {
    where: `--schema ${schema}`,
    remedy: 'give it another name',
  });
}

const quoted = (name: string): string => `"${name}"`;

const EVERY_SCHEMA = `
select n.nspname::text "name" from pg_catalog.pg_namespace n
 where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1`;

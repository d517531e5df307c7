import { counted } from '../counted.js';
import { DatabaseError, type Session } from '../database/session.js';
import type { TenantRule } from '../desired-state/model.js';
import { TrueupError } from '../trueup-error.js';
import { namedTenants } from './named-tenants.js';
import { noTenant } from './no-tenant.js';
import { asTenant, readSchemas, type SchemaRow } from './schema-rows.js';
import { isInShard, type Shard } from './shard.js';

/** A schema that is planned. */
export interface Tenant {
  readonly oid: string;
  readonly schema: string;
}

/** A schema that holds some of the tables that make a tenant, but not all: maybe a damaged one. Never dropped silently. */
export interface LookAlike {
  readonly schema: string;
  readonly has: readonly string[];
  readonly lacks: readonly string[];
}

/** Which schemas this run is about. */
export interface TenantSelection {
  /** Named ones are tenants whatever they hold. Empty: by the rule. */
  readonly schemas: readonly string[];
  /** LIKE patterns, beside those of the rule. */
  readonly exclude: readonly string[];
  readonly allowEmpty: boolean;
  /** Named ones that do not exist are given back as `absent` rather than refused (apply --create-schema). */
  readonly allowAbsent: boolean;
  /** Only this part of those tenants, named ones too; it may be empty. Left out: all. */
  readonly shard?: Shard;
}

/** What was found. */
export interface Discovery {
  readonly tenants: readonly Tenant[];
  readonly lookAlikes: readonly LookAlike[];
  readonly absent: readonly string[];
  /** Schemas that the rule lists, itself or by its query, and that are not there. */
  readonly missing: readonly string[];
}

/**
 * Finds the tenants from the catalogs, in one statement (two when the rule is a query).
 * @param directory that of fleet.yaml, for the error
 * @throws {TrueupError} UNKNOWN_SCHEMA for a named schema that is not there, NO_TENANT when nothing was found.
 */
export async function discoverTenants(
  session: Session,
  rule: TenantRule,
  selection: TenantSelection,
  directory = '',
): Promise<Discovery> {
  const found =
    selection.schemas.length > 0
      ? await namedTenants(session, rule, selection)
      : await tenantsByRule(session, rule, selection, directory);
  return selection.shard === undefined ? found : shardOf(session, found, selection.shard);
}

async function tenantsByRule(
  session: Session,
  rule: TenantRule,
  selection: TenantSelection,
  directory: string,
): Promise<Discovery> {
  const having = rule.havingTables ?? [];
  const list = await listedSchemas(session, rule);
  const rows = await readSchemas(session, rule, selection);
  const listed = list === null ? null : new Set(list);
  const candidates = rows.filter((row) => !row.system && !row.excluded);
  const holdsAll = (row: SchemaRow) => having.length > 0 && row.has === null;
  const byRule = (row: SchemaRow) => {
    if (row.schema === rule.baseSchema && holdsAll(row)) return true;
    if (listed !== null) return listed.has(row.schema);
    return rule.like !== null ? row.liked : holdsAll(row);
  };
  const tenants = candidates.filter(byRule).map(asTenant);
  if (tenants.length === 0 && !selection.allowEmpty) {
    const excluded = rows.filter((row) => !row.system && row.excluded && byRule(row)).length;
    const less = excluded === 0 ? '' : `; ${excluded} of them ${excluded === 1 ? 'is' : 'are'} excluded`;
    // PostgreSQL's own were not looked at.
    const among = counted(rows.filter((row) => !row.system).length, 'schema');
    throw noTenant(`looked for ${looked(rule)} among ${among}${less}`, excluded > 0, directory);
  }
  return {
    tenants,
    lookAlikes: candidates.flatMap(({ schema, has }) =>
      has === null || has.length === 0 ? [] : [{ schema, has, lacks: having.filter((table) => !has.includes(table)) }],
    ),
    absent: [],
    missing: missingOf(list, rows),
  };
}

async function shardOf(session: Session, found: Discovery, shard: Shard): Promise<Discovery> {
  const [row] = await session.query<{ database: string }>('select pg_catalog.current_database()::text "database"');
  const isMine = (schema: string) => isInShard(shard, row?.database ?? '', schema);
  return {
    tenants: found.tenants.filter(({ schema }) => isMine(schema)),
    lookAlikes: found.lookAlikes.filter(({ schema }) => isMine(schema)),
    absent: found.absent.filter(isMine),
    missing: found.missing.filter(isMine),
  };
}

function missingOf(list: readonly string[] | null, rows: readonly Tenant[]): readonly string[] {
  const there = new Set(rows.map(({ schema }) => schema));
  return [...new Set(list)].filter((schema) => !there.has(schema)).sort();
}

async function listedSchemas(session: Session, rule: TenantRule): Promise<readonly string[] | null> {
  if (rule.schemas !== null) return rule.schemas;
  if (rule.query === null) return null;
  const rows = await session.query(rule.query).catch((error: unknown) => {
    throw error instanceof DatabaseError ? queryFailed(error) : error;
  });
  return rows.flatMap((row) => {
    const [schema] = Object.values(row);
    return schema === null ? [] : [String(schema)];
  });
}

/** What is wrong with the query, or with the database for it. Anything else, such as a lost connection, is as it was. */
function queryFailed(error: DatabaseError): Error {
  const isForbidden = error.code === '42501';
  if (!isForbidden && !/^(?:42|22|3F)/u.test(error.code)) return error;
  return new TrueupError(
    isForbidden ? 'PRIVILEGE' : 'FRAGMENT_REFUSED',
    `the query that lists the tenants fails: ${error.message}`,
    {
      where: 'fleet.yaml: tenants.query',
      remedy: isForbidden
        ? 'grant the role what it lacks for it, or use --role or another user'
        : 'correct the query, or name the database that has what it reads',
      cause: error,
    },
  );
}

/** What a rule takes for a tenant, in words. */
const looked = ({ havingTables, like, schemas }: TenantRule): string =>
  havingTables !== null
    ? `schemas that hold the ${havingTables.length === 1 ? 'table' : 'tables'} ${havingTables.join(' and ')}`
    : like !== null
      ? `schemas named like ${like}`
      : schemas !== null
        ? `the schemas ${schemas.join(', ')}`
        : `the schemas that the query in fleet.yaml gives`;

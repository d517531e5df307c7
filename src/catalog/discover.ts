import { join } from 'node:path';
import { counted } from '../counted.js';
import type { Row, Session } from '../database/session.js';
import type { TenantRule } from '../desired-state/model.js';
import { closest } from '../did-you-mean.js';
import { shellQuoted } from '../shell-quoted.js';
import { TrueupError } from '../trueup-error.js';
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

interface SchemaFacts {
  readonly system: boolean;
  /** Which of the tables that make a tenant it holds; null for all of them. */
  readonly has: readonly string[] | null;
  readonly excluded: boolean;
  readonly liked: boolean;
}

interface SchemaRow extends Tenant, SchemaFacts {}

/** Schemas of which the same is so. */
interface SchemasRow extends Row, SchemaFacts {
  readonly oids: readonly string[];
  readonly names: readonly string[];
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
  const having = rule.havingTables ?? [];
  const named = selection.schemas.length > 0;
  const list = named ? null : await listedSchemas(session, rule);
  const alike = await session.query<SchemasRow>(discoverSql(named), [
    [...rule.exclude, ...selection.exclude],
    rule.like ?? '',
    named ? selection.schemas : having,
  ]);
  const rows = alike
    .flatMap(({ oids, names, ...facts }): SchemaRow[] =>
      names.map((schema, at) => ({ oid: oids[at] ?? '', schema, ...facts })),
    )
    .sort((left, right) => (left.schema < right.schema ? -1 : 1));
  if (named) return shardOf(session, await namedTenants(session, rule, selection, rows), selection.shard);

  const listed = list === null ? null : new Set(list);
  const candidates = rows.filter((row) => !row.system && !row.excluded);
  const holdsAll = (row: SchemaRow) => having.length > 0 && row.has === null;
  const byRule = (row: SchemaRow) => {
    if (row.schema === rule.baseSchema && holdsAll(row)) return true;
    if (listed !== null) return listed.has(row.schema);
    return rule.like !== null ? row.liked : holdsAll(row);
  };
  const tenants = candidates.filter(byRule).map(tenant);
  if (tenants.length === 0 && !selection.allowEmpty) {
    const excluded = rows.filter((row) => !row.system && row.excluded && byRule(row)).length;
    const less = excluded === 0 ? '' : `; ${excluded} of them ${excluded === 1 ? 'is' : 'are'} excluded`;
    // PostgreSQL's own were not looked at.
    const among = counted(rows.filter((row) => !row.system).length, 'schema');
    throw noTenant(`looked for ${looked(rule)} among ${among}${less}`, excluded > 0, directory);
  }
  const found = {
    tenants,
    lookAlikes: candidates.flatMap(({ schema, has }) =>
      has === null || has.length === 0 ? [] : [{ schema, has, lacks: having.filter((table) => !has.includes(table)) }],
    ),
    absent: [],
    missing: missingOf(list, rows),
  };
  return shardOf(session, found, selection.shard);
}

async function shardOf(session: Session, found: Discovery, shard: Shard | undefined): Promise<Discovery> {
  if (shard === undefined) return found;
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
  const rows = await session.query(rule.query);
  return rows.flatMap((row) => {
    const [schema] = Object.values(row);
    return schema === null ? [] : [String(schema)];
  });
}

async function namedTenants(
  session: Session,
  rule: TenantRule,
  selection: TenantSelection,
  rows: readonly SchemaRow[],
): Promise<Discovery> {
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
  const tenants = named.filter((row) => !row.excluded).map(tenant);
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

const tenant = ({ oid, schema }: SchemaRow): Tenant => ({ oid, schema });

/** What a rule takes for a tenant, in words. */
const looked = ({ havingTables, like, schemas }: TenantRule): string =>
  havingTables !== null
    ? `schemas that hold the ${havingTables.length === 1 ? 'table' : 'tables'} ${havingTables.join(' and ')}`
    : like !== null
      ? `schemas named like ${like}`
      : schemas !== null
        ? `the schemas ${schemas.join(', ')}`
        : `the schemas that the query in fleet.yaml gives`;

const noTenant = (why: string, excluded: boolean, directory?: string): TrueupError =>
  new TrueupError('NO_TENANT', `no tenant found: ${why}`, {
    ...(directory === undefined ? {} : { where: `${join(directory, 'fleet.yaml')}: tenants` }),
    remedy: `check the database, ${excluded ? 'what is excluded (exclude in fleet.yaml, --exclude-schema), ' : ''}\
and the desired state (--desired-state; trueup inspect writes that of a tenant that exists); \
name a tenant with --schema; make one with trueup apply --create-schema --schema NAME; or pass --allow-empty`,
  });

const quoted = (name: string): string => `"${name}"`;

const EVERY_SCHEMA = `
select n.nspname::text "name" from pg_catalog.pg_namespace n
 where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1`;

/**
 * Schemas, and which of the tables that make a tenant ($3) they hold; in one row all of which the same is so. Named ones ($3) are
 * tenants whatever they hold, and nothing is read but them: a batch of an apply must not read the whole fleet's schemas.
 */
const discoverSql = (named: boolean): string => `with ${named ? '' : HELD}
of_extension as (
  select d.objid oid from pg_catalog.pg_depend d
   where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.classid = 'pg_catalog.pg_namespace'::regclass and d.deptype = 'e'),
told as (
  select n.oid, n.nspname,
         n.nspname like 'pg\\_%' or n.nspname = 'information_schema' or n.oid in (select oid from of_extension) "system",
         ${named ? `'{}'::text[]` : `case when held.n is null then '{}' when held.n < (select n from wanted) then array(${HELD_ONES}) end`} has,
         exists (select from pg_catalog.unnest($1::text[]) x where n.nspname like x) excluded,
         n.nspname like $2 liked
    from pg_catalog.pg_namespace n${named ? ' where n.nspname = any($3::name[])' : ' left join held on held.ns = n.oid'})
select pg_catalog.array_agg(oid::text) oids, pg_catalog.array_agg(nspname::text) "names",
       "system", has, excluded, liked
  from told group by "system", has, excluded, liked`;

const HELD_TABLES = `pg_catalog.pg_class c where c.relname = any($3::name[]) and c.relkind in ('r','p')`;

/** How many of the tables a schema holds: which ones is asked of those alone that hold some and not all. */
const HELD = `
wanted as materialized (select count(distinct w) n from pg_catalog.unnest($3::text[]) w),
held as (select c.relnamespace ns, count(*) n from ${HELD_TABLES} group by 1),`;

const HELD_ONES = `select c.relname::text from ${HELD_TABLES} and c.relnamespace = n.oid order by 1`;

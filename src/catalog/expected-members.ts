import type { Row, Session } from '../database/session.js';
import type { IndexFamily, NamePart } from '../desired-state/model.js';
import { columnsOf } from '../sql/columns-of.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { inBatches } from './batches.js';
import { type CopiedBatch, copyRows, TABLES_PER_MESSAGE } from './copied-rows.js';
import { memberDigest, memberHash } from './owned-indexes-sql.js';
import type { CopiedColumns, PlainTables } from './plain-tables.js';
import { type SizedTable, sizes } from './row-facts.js';
import { evenParts, shared } from './shared-parts.js';

/** A tenant whose members are to be compared with its rows. */
export interface DigestedMembers {
  readonly schema: string;
  /** Of the members that the catalogs hold; empty for none. */
  readonly digest: string;
  /**
   * How the server writes a member's predicate, as a format string of PostgreSQL: parameter 2n+1 is the n-th variable of
   * {@link predicateVariables} as a string constant, 2n+2 the same as a bare number. Null for no predicate.
   */
  readonly format: string | null;
}

/** Variables of a family's predicate, each once, in the order in which a format counts them. */
export const predicateVariables = (family: Pick<IndexFamily, 'where'>): readonly string[] => [
  ...new Set((family.where ?? []).flatMap((part) => (typeof part === 'string' ? [] : [part.variable]))),
];

/**
 * Tenants whose rows do not ask for exactly the members whose digest is given. Names, predicates and their digest are made
 * and compared on the server. In batches as {@link copyRows} copies them, where the rows cross the wire and go back, and as
 * {@link readFamilyRows} reads them, where nothing of a tenant in sync does; a tenant whose rows could not be read counts as
 * differing.
 * @param seed that of the digests
 * @param plain what is known of the tables that the rows stand in; takes what is found out
 */
export async function readDiffering(
  sessions: readonly Session[],
  family: IndexFamily,
  tenants: readonly DigestedMembers[],
  seed: string,
  plain: PlainTables = new Map(),
): Promise<ReadonlySet<string>> {
  const copied = await copiedOf(family);
  if (copied === null) return new Set(tenants.map((tenant) => tenant.schema));
  return new Set(
    await shared(sessions, evenParts(tenants, sessions.length, TABLES_PER_MESSAGE), (session, part) =>
      differingOf(session, { family, copied, plain, seed }, part),
    ),
  );
}

/** What is copied for a family: the columns that its rows' values are made of; null where its members come from no rows. */
export async function copiedOf(family: IndexFamily): Promise<CopiedColumns | null> {
  const { rows } = family;
  return rows === null ? null : { table: rows.table, columns: await columnsOf(valuesSql(family)) };
}

/** By what members are compared: see {@link readDiffering}. */
interface Comparison {
  readonly family: IndexFamily;
  readonly copied: CopiedColumns;
  readonly plain: PlainTables;
  readonly seed: string;
}

async function differingOf(
  session: Session,
  { family, copied, plain, seed }: Comparison,
  tenants: readonly DigestedMembers[],
): Promise<readonly string[]> {
  const differing = new Set(tenants.map((tenant) => tenant.schema));
  const bySchema = new Map(tenants.map((tenant) => [tenant.schema, tenant]));
  const formats = [...new Set(tenants.map((tenant) => tenant.format))];
  const compare = async (schemas: readonly string[], from: string, rows: readonly unknown[]) => {
    const of = schemas.flatMap((schema) => bySchema.get(schema) ?? []);
    const parameters = [
      of.map((_, at) => at),
      of.map((tenant) => tenant.digest),
      of.map((tenant) => formats.indexOf(tenant.format) + 1),
      formats,
      seed,
      ...rows,
    ];
    const sql = differingSql(family, from, formats);
    // Of copied rows it is the same for every batch.
    const result = await session.query<Row & { at: number }>(sql, parameters, { kept: rows.length > 0 });
    const found = new Set(result.map((row) => row.at));
    for (const [at, { schema }] of of.entries()) if (!found.has(at)) differing.delete(schema);
  };
  const values = valuesSql(family);
  const { table, columns } = copied;
  const take = async ({ schemas, types, rows }: CopiedBatch) => {
    await compare(schemas, fromCopied(values, table, columns, types), [
      rows.map((row) => row.at),
      ...columns.map((_, column) => rows.map((row) => row.values[column] ?? null)),
    ]);
    return schemas;
  };
  const left = await copyRows(session, [...differing], copied, take, plain);
  const there = left.map((schema) => ({ schema, table }));
  const compareThere = (batch: readonly SizedTable[]) => {
    const schemas = batch.map(({ schema }) => schema);
    return compare(schemas, fromTables(values, batch), []);
  };
  // What fails stays among the differing: what reads its rows says why they cannot be read.
  await inBatches(
    await sizes(session, there),
    ({ locks }) => locks,
    compareThere,
    () => {},
  );
  return [...differing];
}

/** The values of a row, each as text. */
const valuesSql = ({ rows }: IndexFamily): string =>
  `array[${Object.values(rows?.values ?? {})
    .map((expression) => `(${expression})::text`)
    .join(', ')}]::text[]`;

/** The rows of some tables, with the place of each: `at`, and their values `v`. */
const fromTables = (values: string, batch: readonly SizedTable[]): string =>
  batch.map((of, at) => `select ${at} "at", ${values} v from ${of.qualified}`).join(' union all ');

/** The same of rows that were copied: their places are $6, and the columns, one by one, $7 and following. */
function fromCopied(values: string, table: string, columns: readonly string[], types: readonly string[]): string {
  const texts = columns.map((_, column) => `$${column + 7}::text[]`);
  const typed = columns.map((column, at) => `c.c${at}::${types[at] ?? 'text'} as ${quoteIdentifier(column)}`);
  return `select "trueup at" "at", ${values} v
      from (select c."trueup at", ${typed.join(', ')} from unnest($6::int4[], ${texts.join(', ')}) c("trueup at", ${columns
        .map((_, at) => `c${at}`)
        .join(', ')})) ${quoteIdentifier(table)}`;
}

function differingSql(family: IndexFamily, from: string, formats: readonly (string | null)[]): string {
  const texts = variableTexts(family);
  const textOf = (variable: string) => texts.get(variable) ?? 'null';
  const parts = family.name.map((part: NamePart) =>
    typeof part === 'string' ? `${quoteLiteral(part)}::text` : textOf(part.variable),
  );
  // A value of digits alone is all that can stand bare: anything else could read as more SQL. What no format names is left
  // out: it is made anew for each member.
  const isNamed = (parameter: number) => formats.some((format) => format?.includes(`%${parameter}$s`) === true);
  const values = predicateVariables(family).flatMap((variable, at) => [
    isNamed(2 * at + 1) ? `'''' || replace(${textOf(variable)}, '''', '''''') || ''''` : 'null',
    isNamed(2 * at + 2) ? `case when ${textOf(variable)} ~ '^[0-9]+$' then ${textOf(variable)} end` : 'null',
  ]);
  // Offset 0, or a row's values are made anew wherever a member names one: a third of the time.
  return `with w as materialized (select * from unnest($1::int4[], $2::text[], $3::int4[]) w(at, digest, format)),
expected as (
  select w.at, ${memberDigest('count(*)', `pg_catalog.bit_xor(${memberHash('m.nm', 'm.pred', '$5::int8')})`)} digest
    from (select * from (${from} offset 0) r where array_position(r.v, null) is null) r join w on w.at = r.at${lists(family)}
   cross join lateral (select ${parts.join(' || ') || `''`} nm, format(($4::text[])[w.format], variadic array[${values.join(', ')}]::text[]) pred) m
   group by 1)
select w.at from w left join expected on expected.at = w.at where w.digest is distinct from coalesce(expected.digest, '')`;
}

/** Where each variable's text stands: in the row's values, or in a list's. */
function variableTexts(family: IndexFamily): ReadonlyMap<string, string> {
  const { rows } = family;
  const fromRows = Object.keys(rows?.values ?? {}).map((value, at): readonly [string, string] => [
    `${rows?.name}.${value}`,
    `r.v[${at + 1}]`,
  ]);
  const fromLists = family.lists.flatMap((list, of) =>
    valuesOf(list).map((value, at): readonly [string, string] => [`${list.name}.${value}`, `l${of}.c${at}`]),
  );
  return new Map([...fromRows, ...fromLists]);
}

type List = IndexFamily['lists'][number];

const valuesOf = (list: List): readonly string[] => [...new Set(list.entries.flatMap((entry) => Object.keys(entry)))];

function lists(family: IndexFamily): string {
  return family.lists
    .map((list, of) => {
      const names = valuesOf(list);
      const entries = list.entries.map(
        (entry) => `(${names.map((name) => `${quoteLiteral(entry[name] ?? '')}::text`).join(', ')})`,
      );
      return ` cross join (values ${entries.join(', ')}) l${of}(${names.map((_, at) => `c${at}`).join(', ')})`;
    })
    .join('');
}

import type { Row, Session } from '../database/session.js';
import { join } from '../desired-state/reading.js';
import { qualifyNames } from '../sql/qualify.js';
import { tablesOf } from '../sql/query-tables.js';
import { renderSql } from '../sql/template.js';
import type { ChosenPartition } from './chosen-partition.js';
import type { ExplainContext, TenantProbe } from './context.js';
import type { RowCount } from './explanation.js';
import { choosePartition } from './partition.js';
import { countRows, readRowValues } from './partition-rows.js';
import { queryTemplate } from './query.js';
import { type Relation, readRelations } from './relation.js';

/** A probe that is ready to be planned. */
export interface PreparedProbe {
  readonly relation: Relation;
  readonly partition: ChosenPartition;
  /** Rows of the whole table. */
  readonly tableRows: RowCount;
  /** The SELECT with every value as a constant: the server then plans as it does for the application's custom plans. */
  readonly query: string;
}

/** Why a probe has nothing to be planned with. */
export interface NothingToProbe {
  readonly why: string;
}

/** Chooses the partition, and takes the values of one of its rows: the part that reads rows. */
export async function prepare(context: ExplainContext, of: TenantProbe): Promise<PreparedProbe | NothingToProbe> {
  const { session, names, request } = context;
  const { probe, schema } = of;
  const template = await queryTemplate(session, probe, names, context.operatorSchema);
  const read = await tablesOf(join(probe.query, () => "'x'"));
  const relations = await readRelations(session, schema, [probe.table, ...read.map(({ table }) => table)]);
  const relation = relations.get(probe.table);
  if (relation === undefined) throw new Error(`internal: ${probe.table} was not looked up`);
  const partition = await choosePartition(session, of, relation, request.values);
  if (partition === null) return { why: `there is no row in a partition of ${probe.table}` };
  const expressions: Record<string, string> = {};
  for (const [name, expression] of Object.entries(probe.row))
    expressions[name] = await qualifyNames('expression', expression, names);
  const row = await readRowValues(session, relation, partition.where, expressions);
  if (row === null) {
    return { why: `no row of the partition has a value for ${Object.keys(probe.row).join(' and ')}` };
  }
  return {
    relation,
    partition,
    tableRows: await countRows(session, relation, null, of.exactRows),
    query: renderSql(template, { ...partition.values, ...row, schema }),
  };
}

/** Sets what holds for one transaction. */
export async function setLocally(session: Session, settings: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(settings);
  if (names.length === 0) return;
  await session.query(
    `select pg_catalog.set_config(w.name, w.value, true) from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w("name", "value")`,
    [names, Object.values(settings)],
  );
}

/** Settings that the server does not know: it keeps any name with a dot, until the extension that it belongs to is loaded. */
export async function unknownSettings(session: Session, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const rows = await session.query<Row & { name: string }>(
    `select w.name from pg_catalog.unnest($1::text[]) w("name")
      where not exists (select from pg_catalog.pg_settings s where pg_catalog.lower(s.name) = pg_catalog.lower(w.name))`,
    [names],
  );
  return rows.map((row) => row.name);
}

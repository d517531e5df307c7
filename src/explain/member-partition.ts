import { readFamilyRows } from '../catalog/row-facts.js';
import { chunk } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { IndexFamily } from '../desired-state/model.js';
import { join } from '../desired-state/reading.js';
import { type ExpectedMember, expectedMembers, MemberProblem } from '../diff/family-members.js';
import { shellQuoted } from '../shell-quoted.js';
import { columnsOf } from '../sql/columns-of.js';
import { relativeSql, renderSql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import { type ChosenPartition, noSuchPartition } from './chosen-partition.js';
import type { TenantProbe } from './context.js';
import { countRows } from './partition-rows.js';
import type { Relation } from './relation.js';
import { groupsSql, unlessUngroupable } from './sample.js';

/** Conditions of members in one statement. */
const MEMBERS = 500;
/** Members that are counted one by one where no sample tells. */
const COUNTED = 50;

/** The partition of the member that the values name, else of the one with most rows. Null: none holds any. */
export async function memberPartition(
  session: Session,
  of: TenantProbe,
  relation: Relation,
  family: IndexFamily,
  values: Readonly<Record<string, string>>,
): Promise<ChosenPartition | null> {
  const members = [...(await readMembers(session, of.schema, family)).values()];
  if (members.length === 0 && Object.keys(values).length === 0) return null;
  const asked = members.filter((member) =>
    Object.entries(values).every(([name, value]) => member.values[name] === value),
  );
  if (asked.length === 0) throw noSuchPartition(of, values);
  const fromLists = new Set(
    family.lists.flatMap((list) => Object.keys(list.entries[0] ?? {}).map((value) => `${list.name}.${value}`)),
  );
  const candidates = asked.map((member) => ({ member, where: rendered(member.where, of.schema) }));
  const sampled = candidates.length === 1 ? null : await largestBySample(session, relation, family, candidates);
  const ranked = sampled === null ? candidates.slice(0, COUNTED) : [sampled];
  let best: ChosenPartition | null = null;
  for (const { member, where } of ranked) {
    const rows = await countRows(session, relation, where, of.exactRows);
    if (best !== null && rows.counted <= best.rows.counted) continue;
    const fromRows = Object.keys(member.values).filter((name) => !fromLists.has(name));
    best = { member, values: member.values, fromRows, chosen: Object.keys(values).length > 0, where, rows };
    if (rows.capped) break;
  }
  return best === null || best.rows.counted === 0 ? null : best;
}

const rendered = (where: string | null, schema: string): string | null =>
  where === null ? null : renderSql(relativeSql(where), { schema });

async function readMembers(session: Session, schema: string, family: IndexFamily) {
  const source = family.rows;
  try {
    if (source === null) return expectedMembers(family, []);
    const { rows, failed } = await readFamilyRows(session, [{ schema, table: source.table }], source.values);
    const why = failed.get(schema);
    if (why !== undefined)
      throw unreadable(schema, why.message, 'see that this role may read it, or name one that may: --role');
    return expectedMembers(family, rows.get(schema) ?? []);
  } catch (error) {
    if (!(error instanceof MemberProblem)) throw error;
    throw unreadable(schema, error.message, `see what differs: trueup plan --schema ${shellQuoted(schema)}`);
  }
}

const unreadable = (schema: string, message: string, remedy: string): TrueupError =>
  new TrueupError('TENANT_UNREADABLE', message, { where: `schema ${schema}`, remedy });

interface Candidate {
  readonly member: ExpectedMember;
  readonly where: string | null;
}

/** The candidate with most rows of a sample; null when none has any, or the sample cannot be grouped. */
async function largestBySample(
  session: Session,
  relation: Relation,
  family: IndexFamily,
  candidates: readonly Candidate[],
): Promise<Candidate | null> {
  const columns = family.where === null ? [] : await columnsOf(join(family.where, () => "'x'"));
  if (columns.length === 0) return null;
  let best: { readonly candidate: Candidate; readonly rows: number } | null = null;
  for (const part of chunk(candidates, MEMBERS)) {
    const conditions = part.map(({ where }, at) => `(${at}, (${where ?? 'true'}))`);
    const sql = `with s as materialized (${groupsSql(relation, columns)})
select p.at, pg_catalog.sum(s.n)::int4 n from s cross join lateral (values ${conditions.join(', ')}) p(at, fits) where p.fits group by 1`;
    for (const row of await unlessUngroupable(session.query<Row & { at: number; n: number }>(sql))) {
      const candidate = part[row.at];
      if (candidate !== undefined && row.n > (best?.rows ?? 0)) best = { candidate, rows: row.n };
    }
  }
  return best?.candidate ?? null;
}

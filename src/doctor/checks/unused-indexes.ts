import { familyNamePattern, ofAllPhases, ownershipFilter, undigested } from '../../catalog/ownership-filter.js';
import { tenantRelations } from '../../catalog/tenant-relations.js';
import { counted, number } from '../../counted.js';
import type { Row } from '../../database/session.js';
import type { DesiredState } from '../../desired-state/model.js';
import { size } from '../../measures.js';
import { type CheckContext, check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** Bytes below which unused indexes are not worth a word. */
const WORTH = 1024 * 1024;

/** Owned and declared indexes of one name, or of one family. */
export interface UsageGroup {
  readonly table: string;
  /** A name, or a family as it is written. */
  readonly label: string;
  readonly isFamily: boolean;
  readonly indexes: number;
  readonly scans: number;
  readonly unused: number;
  readonly unusedBytes: number;
  /** Tenants with an unused one. */
  readonly tenants: number;
}

export interface UsageFacts {
  readonly groups: readonly UsageGroup[];
  /** Since when scans are counted, by ISO 8601; null: never reset, so since the cluster was made or has last crashed. */
  readonly since: string | null;
}

/** Declared indexes that a phase owns and that served no scan. */
export const unusedIndexes = check({
  name: 'unused-indexes',
  read: async (context): Promise<UsageFacts> => {
    const [row] = await context.session.query<Row & { since: string | null }>(
      `select pg_catalog.to_char(d.stats_reset at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') since
         from pg_catalog.pg_stat_database d where d.datname = pg_catalog.current_database()`,
    );
    return { groups: await readUsage(context), since: row?.since ?? null };
  },
  judge: (facts, { here }) => judgeUsage(facts, here.inRecovery),
});

/** The pure part. */
export function judgeUsage({ groups, since }: UsageFacts, standby: boolean): readonly Finding[] {
  const counting = since === null ? 'since counting began (the statistics were never reset)' : `since ${since}`;
  const unused = groups.filter((group) => group.unused > 0).sort((left, right) => right.unusedBytes - left.unusedBytes);
  const bytes = unused.reduce((sum, group) => sum + group.unusedBytes, 0);
  if (bytes < WORTH)
    return [
      finding('unused-indexes', 'ok', {
        what: `no more than ${size(bytes)} of owned indexes without a scan ${counting}`,
      }),
    ];
  return [
    finding('unused-indexes', 'note', {
      what: `about ${size(bytes)} of owned indexes served no scan ${counting}${standby ? ', on this standby alone' : ''}`,
      why: `each costs every write of its table. Scans on ${standby ? 'the primary and on other standbys' : 'standbys'} are not seen here, and a table that is small is read without its indexes`,
      remedy:
        'what is dropped by hand comes back at the next apply, for the desired state declares it: raise the row count from which it is worth building (worth_rows), or take it out of the files',
      subjects: unused.map(described),
    }),
  ];
}

function described({ table, label, isFamily, indexes, scans, unused, unusedBytes, tenants }: UsageGroup): string {
  const what = isFamily ? `members of ${label}` : `indexes ${label}`;
  const others = indexes === unused ? '' : `; the others served ${counted(scans, 'scan')}`;
  return `${table}: ${number(unused)} of ${number(indexes)} ${what}, in ${counted(tenants, 'tenant')}, ${size(unusedBytes)}${others}`;
}

async function readUsage(context: CheckContext): Promise<readonly UsageGroup[]> {
  const { session, desired, relations } = context;
  const filter = ofAllPhases(undigested(ownershipFilter(desired.phases, desired.tables)));
  if (filter.ownership.length === 0 && filter.families.length === 0) return [];
  const families = familiesByPattern(desired);
  const names = desired.tables.flatMap((table) => table.indexes.map((index) => index.name));
  const rows = await session.query<UsageRow>(USAGE_SQL, [oidsOf(context), relations, JSON.stringify(filter), names]);
  return rows.map((row) => {
    const label = families.get(`${row.tab}\0${row.of}`);
    return {
      table: row.tab,
      label: label ?? row.of,
      isFamily: label !== undefined,
      indexes: row.indexes,
      scans: Number(row.scans),
      unused: row.unused,
      unusedBytes: Number(row.bytes),
      tenants: row.tenants,
    };
  });
}

const familiesByPattern = ({ tables }: DesiredState): ReadonlyMap<string, string> =>
  new Map(
    tables.flatMap((table) =>
      table.families.map((family) => [`${table.name}\0${familyNamePattern(family)}`, family.label] as const),
    ),
  );

interface UsageRow extends Row {
  readonly tab: string;
  readonly of: string;
  readonly indexes: number;
  readonly scans: string;
  readonly unused: number;
  readonly bytes: string;
  readonly tenants: number;
}

/** Sizes by pg_class as the last build or vacuum left them: pg_relation_size would lock each index for a moment. */
const USAGE_SQL = `with ${tenantRelations()},
idx as (
  select r.relname::text tab, r.ns, coalesce(f.pattern, ic.relname::text) "of", pg_catalog.pg_stat_get_numscans(ic.oid) scans,
         ic.relpages::int8 * pg_catalog.current_setting('block_size')::int8 bytes
    from own join pg_catalog.pg_index i on i.indexrelid = own.indexrelid
    join rel r on r.oid = i.indrelid join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    left join lateral (select fam.pattern from fam where fam.tab = r.relname and ic.relname ~ fam.pattern
                          and not ic.relname::text = any(fam.declared) limit 1) f on true
   where own.phase is not null and i.indisvalid and i.indisready
     and own.phase = any(array(select pg_catalog.jsonb_array_elements_text($3::jsonb -> 'selected')))
     and (f.pattern is not null or ic.relname::text = any($4::text[])))
select tab, "of", pg_catalog.count(*)::int4 indexes, pg_catalog.sum(scans)::int8::text scans,
       (pg_catalog.count(*) filter (where scans = 0))::int4 unused,
       coalesce(pg_catalog.sum(bytes) filter (where scans = 0), 0)::int8::text bytes,
       (pg_catalog.count(distinct ns) filter (where scans = 0))::int4 tenants
  from idx group by 1, 2 order by 1, 2`;

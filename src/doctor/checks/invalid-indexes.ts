import { ofAllPhases, ownershipFilter, undigested } from '../../catalog/ownership-filter.js';
import { readBuilders } from '../../catalog/running-builds.js';
import { tenantRelations } from '../../catalog/tenant-relations.js';
import { groupBy } from '../../collections.js';
import { counted } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { isTemporary } from '../../sql/temporary-name.js';
import { type CheckContext, check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';
import { MemberLabels } from '../member-labels.js';

/** An index that no query uses and that every write keeps up. */
export interface InvalidIndex {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** The process that holds what a running build holds; null for none. */
  readonly builder: number | null;
  /** The phase that owns it, of this run or not; null for none. */
  readonly phase: string | null;
}

/** Indexes that are INVALID, on any table of a tenant; those that somebody builds at this moment are told apart. */
export const invalidIndexes = check({
  name: 'invalid-indexes',
  read: async (context): Promise<readonly InvalidIndex[]> => {
    // In this order: an index that is INVALID after that is one that nobody was building.
    const builders = await readBuilders(context.session);
    const rows = await context.session.query<InvalidRow>(
      `select i.indrelid::text rel, i.indexrelid::text oid, n.oid::text namespace, n.nspname::text "schema", c.relname::text "table", ic.relname::text "name"
         from pg_catalog.pg_index i
         join pg_catalog.pg_class ic on ic.oid = i.indexrelid and ic.relkind = 'i'
         join pg_catalog.pg_class c on c.oid = i.indrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not (i.indisvalid and i.indisready) and c.relnamespace = any($1::oid[])
        order by 2, 3, 4`,
      [oidsOf(context)],
    );
    const owners = await ownersOf(context, rows);
    return rows.map(({ rel, oid, schema, table, name }) => ({
      schema,
      table,
      name,
      builder: builders.get(rel) ?? null,
      phase: owners.get(oid) ?? null,
    }));
  },
  judge: (found, { desired }) => {
    const skipped = desired.phases.flatMap((phase) => (phase.selected ? [] : [phase.name]));
    return judgeInvalid(found, new MemberLabels(desired), new Set(skipped));
  },
});

interface InvalidRow extends Row {
  readonly rel: string;
  readonly oid: string;
  readonly namespace: string;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
}

/** Which phase owns each of them, by oid. Asked of the tenants that have any. */
async function ownersOf({ session, desired, relations }: CheckContext, rows: readonly InvalidRow[]) {
  if (rows.length === 0) return new Map<string, string>();
  const filter = ofAllPhases(undigested(ownershipFilter(desired.phases, desired.tables)));
  const owned = await session.query<Row & { oid: string; phase: string }>(
    `with ${tenantRelations()}
     select own.indexrelid::text oid, own.phase from own where own.phase is not null and own.indexrelid = any($4::oid[])`,
    [[...new Set(rows.map((row) => row.namespace))], relations, JSON.stringify(filter), rows.map((row) => row.oid)],
  );
  return new Map(owned.map(({ oid, phase }) => [oid, phase]));
}

/**
 * The pure part.
 * @param skipped the phases that this run leaves out
 */
export function judgeInvalid(
  found: readonly InvalidIndex[],
  labels: MemberLabels,
  skipped: ReadonlySet<string> = new Set(),
): readonly Finding[] {
  const running = found.filter(({ builder }) => builder !== null);
  const left = found.filter(({ builder }) => builder === null);
  const later = left.filter(({ phase }) => phase !== null && skipped.has(phase));
  const ofTrueup = left.filter(
    (index) =>
      !later.includes(index) &&
      (index.phase !== null ||
        labels.isDeclared(index.table, index.name) ||
        labels.of(index.table, index.name) !== null ||
        isTemporary(index.name)),
  );
  const others = left.filter((index) => !later.includes(index) && !ofTrueup.includes(index));
  const told: Finding[] = [];
  if (running.length > 0)
    told.push(
      finding('invalid-indexes', 'note', {
        what: `${counted(running.length, 'index', 'indexes')} INVALID while somebody builds on their tables`,
        why: 'apply waits for a running build, and leaves its index alone',
        remedy: 'look again when the build has ended',
        subjects: shown(running, labels),
      }),
    );
  if (ofTrueup.length > 0)
    told.push(
      finding('invalid-indexes', 'warning', {
        what: `${counted(ofTrueup.length, 'index', 'indexes')} INVALID that the desired state declares or owns, or that an apply left`,
        why: 'no query uses it, and every write keeps it up; an interrupted build leaves such',
        remedy: 'trueup apply builds them anew, or drops what is not declared',
        subjects: shown(ofTrueup, labels),
      }),
    );
  if (later.length > 0)
    told.push(
      finding('invalid-indexes', 'warning', {
        what: `${counted(later.length, 'index', 'indexes')} INVALID of a phase that this run leaves out (${[...new Set(later.map(({ phase }) => phase))].join(', ')})`,
        why: 'no query uses it, and every write keeps it up; an interrupted build leaves such',
        remedy: 'trueup apply with that phase builds them anew, or drops what is not declared',
        subjects: shown(later, labels),
      }),
    );
  if (others.length > 0)
    told.push(
      finding('invalid-indexes', 'warning', {
        what: `${counted(others.length, 'index', 'indexes')} INVALID that ${skipped.size === 0 ? 'the desired state neither names nor owns' : 'no phase of this run names or owns'}`,
        why: 'no query uses it, and every write keeps it up; trueup leaves alone what no phase owns',
        remedy: 'build it anew, or drop what an interrupted REINDEX has left:',
        statements: others.map(mend),
        subjects: shown(others, labels),
      }),
    );
  return told.length > 0 ? told : [finding('invalid-indexes', 'ok', { what: 'none' })];
}

/** How REINDEX CONCURRENTLY names what it makes. */
const COPY = /_cc(?:new|old)\d*$/u;

/** What REINDEX CONCURRENTLY leaves is the copy or the original that it was to replace: the manual says to drop it. */
function mend({ schema, name }: InvalidIndex): string {
  const index = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return COPY.test(name) ? `DROP INDEX CONCURRENTLY ${index}` : `REINDEX INDEX CONCURRENTLY ${index}`;
}

function shown(indexes: readonly InvalidIndex[], labels: MemberLabels): readonly string[] {
  const groups = groupBy(indexes, ({ schema, table, name }) => {
    // The copy of a member has its member's name in its own.
    const label = labels.of(table, name.replace(COPY, ''));
    return label === null ? `${schema}.${name} on ${table}` : `${schema}.${table}: members of ${label}`;
  });
  return [...groups].map(([text, members]) => (members.length === 1 ? text : `${text} (${members.length})`));
}

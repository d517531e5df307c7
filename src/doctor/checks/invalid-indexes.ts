import { readBuilders } from '../../catalog/running-builds.js';
import { groupBy } from '../../collections.js';
import type { Row } from '../../database/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';
import { MemberLabels } from '../member-labels.js';
import { counted } from '../words.js';

/** An index that no query uses and that every write keeps up. */
export interface InvalidIndex {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** The process that holds what a running build holds; null for none. */
  readonly builder: number | null;
}

/** Indexes that are INVALID, on any table of a tenant; those that somebody builds at this moment are told apart. */
export const invalidIndexes = check({
  name: 'invalid-indexes',
  read: async (context): Promise<readonly InvalidIndex[]> => {
    // In this order: an index that is INVALID after that is one that nobody was building.
    const builders = await readBuilders(context.session);
    const rows = await context.session.query<Row & { rel: string; schema: string; table: string; name: string }>(
      `select i.indrelid::text rel, n.nspname::text "schema", c.relname::text "table", ic.relname::text "name"
         from pg_catalog.pg_index i
         join pg_catalog.pg_class ic on ic.oid = i.indexrelid and ic.relkind = 'i'
         join pg_catalog.pg_class c on c.oid = i.indrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not (i.indisvalid and i.indisready) and c.relnamespace = any($1::oid[])
        order by 2, 3, 4`,
      [oidsOf(context)],
    );
    return rows.map(({ rel, schema, table, name }) => ({ schema, table, name, builder: builders.get(rel) ?? null }));
  },
  judge: (found, { desired }) => judgeInvalid(found, new MemberLabels(desired)),
});

/** The pure part. */
export function judgeInvalid(found: readonly InvalidIndex[], labels: MemberLabels): readonly Finding[] {
  const running = found.filter(({ builder }) => builder !== null);
  const left = found.filter(({ builder }) => builder === null);
  const ofTrueup = left.filter(
    ({ table, name }) =>
      labels.isDeclared(table, name) || labels.of(table, name) !== null || name.startsWith(TEMPORARY),
  );
  const others = left.filter((index) => !ofTrueup.includes(index));
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
        what: `${counted(ofTrueup.length, 'index', 'indexes')} INVALID that the desired state declares, or that an apply left`,
        why: 'no query uses it, and every write keeps it up; an interrupted build leaves such',
        remedy: 'trueup apply builds them anew, or drops what is left over',
        subjects: shown(ofTrueup, labels),
      }),
    );
  if (others.length > 0)
    told.push(
      finding('invalid-indexes', 'warning', {
        what: `${counted(others.length, 'index', 'indexes')} INVALID that the desired state does not name`,
        why: 'no query uses it, and every write keeps it up; trueup leaves alone what no phase owns',
        remedy: 'build it anew, or drop what an interrupted REINDEX has left:',
        statements: others.map(mend),
        subjects: shown(others, labels),
      }),
    );
  return told.length > 0 ? told : [finding('invalid-indexes', 'ok', { what: 'none' })];
}

/** How trueup names what it makes for the time being. */
const TEMPORARY = 'trueup_';

/** What REINDEX CONCURRENTLY leaves is the copy or the original that it was to replace: the manual says to drop it. */
function mend({ schema, name }: InvalidIndex): string {
  const index = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return /_cc(?:new|old)\d*$/u.test(name) ? `DROP INDEX CONCURRENTLY ${index}` : `REINDEX INDEX CONCURRENTLY ${index}`;
}

function shown(indexes: readonly InvalidIndex[], labels: MemberLabels): readonly string[] {
  const groups = groupBy(indexes, ({ schema, table, name }) => {
    const label = labels.of(table, name);
    return label === null ? `${schema}.${name} on ${table}` : `${schema}.${table}: members of ${label}`;
  });
  return [...groups].map(([text, members]) => (members.length === 1 ? text : `${text} (${members.length})`));
}

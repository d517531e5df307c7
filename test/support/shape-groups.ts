import { readFleet } from '../../src/catalog/fleet-pass.js';
import { groupBy } from '../../src/collections.js';
import type { Database, Session } from '../../src/database/session.js';

const TABLES = ['parent', 'parents', 'child', 'seen'];
const NOTHING_OWNED = { ownership: [], families: [], selected: [], names: [], relevant: [] };

/** How tables may be hashed: roughly first, in parts, and exactly alone. */
const WAYS = [{ worthRough: 1 }, { worthRough: 1, partOf: 1 }, { worthRough: Number.POSITIVE_INFINITY }];

/** The same groups, each way. */
export const everyWay = (groups: string): readonly string[] => WAYS.map(() => groups);

/** The schemas that hash alike, each way in which they may be hashed; of one table, those in which it does. */
export async function shapeGroups(
  session: Session,
  schemas: readonly string[],
  table: string | null = null,
): Promise<readonly string[]> {
  const rows = await session.query<{ oid: string }>(
    `select oid::text oid from pg_catalog.pg_namespace where nspname = any($1)`,
    [schemas],
  );
  const namespaces = rows.map((row) => row.oid);
  const ways = [];
  for (const way of WAYS) {
    const request = { shapes: true, apart: false, ...way };
    const { hashed: groups } = await readFleet([session], namespaces, TABLES, NOTHING_OWNED, request);
    const hashOf = (group: (typeof groups)[number]) =>
      table === null ? group.hash : (group.tables.find(({ name }) => name === table)?.hash ?? '');
    ways.push(
      [...groupBy(groups, hashOf).values()]
        .map((alike) =>
          alike
            .flatMap((group) => group.schemas)
            .sort()
            .join('+'),
        )
        .sort()
        .join(' | '),
    );
  }
  return ways;
}

/** The groups as they are after a script, which is undone. */
export async function groupsAfter(
  database: Database,
  script: string,
  schemas: readonly string[],
  table: string | null = null,
): Promise<readonly string[]> {
  const session = await database.connect();
  try {
    await session.query('BEGIN');
    for (const statement of script.split(';').filter((part) => part.trim() !== '')) await session.query(statement);
    return await shapeGroups(session, schemas, table);
  } finally {
    await session.query('ROLLBACK');
    await session.close();
  }
}

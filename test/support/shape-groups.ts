import { readFleet } from '../../src/catalog/fleet-pass.js';
import type { Database, Session } from '../../src/database/session.js';

const TABLES = ['parent', 'parents', 'child', 'seen'];
const NOTHING_OWNED = { ownership: [], families: [], selected: [], relevant: [] };

/** The schemas that hash alike, each way in which they may be hashed: roughly first, and exactly alone. */
export async function shapeGroups(session: Session, schemas: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query<{ oid: string }>(
    `select oid::text oid from pg_catalog.pg_namespace where nspname = any($1)`,
    [schemas],
  );
  const namespaces = rows.map((row) => row.oid);
  const ways = [];
  for (const worthRough of [1, namespaces.length + 1]) {
    const request = { shapes: true, apart: false, worthRough };
    const { hashed: groups } = await readFleet([session], namespaces, TABLES, NOTHING_OWNED, request);
    ways.push(
      groups
        .map(({ schemas }) => schemas.join('+'))
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
): Promise<readonly string[]> {
  const session = await database.connect();
  try {
    await session.query('BEGIN');
    for (const statement of script.split(';').filter((part) => part.trim() !== '')) await session.query(statement);
    return await shapeGroups(session, schemas);
  } finally {
    await session.query('ROLLBACK');
    await session.close();
  }
}

import { afterAll, beforeAll, expect, it } from 'vitest';
import { COLUMNS_SQL, CONSTRAINTS_SQL, INDEXES_SQL } from '../../src/catalog/detail-queries.js';
import { readCatalog } from '../../src/catalog/snapshot.js';
import type { Session } from '../../src/database/session.js';
import { loadShipped } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const directory = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [orders] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `
tables:
  orders:
    columns: { state: "\${schema}.state", placed: { type: date, default: CURRENT_DATE } }
    indexes: [{ name: orders_placed, keys: [placed] }]
    checks: [{ name: placed_once, expression: placed IS NOT NULL }]
`,
});

const SCHEMAS = ['one', 'two', 'three', 'four', 'five'];

beforeAll(async () => {
  for (const schema of SCHEMAS)
    await on.database.exec(`
      CREATE SCHEMA ${schema}; CREATE TYPE ${schema}.state AS ENUM ('new');
      CREATE TABLE ${schema}.orders (state ${schema}.state, placed date DEFAULT CURRENT_DATE, CONSTRAINT placed_once CHECK (placed IS NOT NULL));
      CREATE INDEX orders_placed ON ${schema}.orders (placed)`);
});
afterAll(() => on.database.exec(`DROP SCHEMA IF EXISTS ${SCHEMAS.join(', ')} CASCADE`));

it.each([
  ['its columns', COLUMNS_SQL, ''],
  ['its columns, of its table alone', COLUMNS_SQL, '.orders'],
  ['its constraints, of its table alone', CONSTRAINTS_SQL(180_000), '.orders'],
  ['its indexes, of its table alone', INDEXES_SQL(180_000), '.orders'],
])(
  'a tenant that stands for others and is dropped before %s are read leaves theirs as they are',
  async (_, statement, what) => {
    const session = await on.fleet.database.connect();
    const dropped: string[] = [];
    const query: Session['query'] = async (sql, values, how) => {
      if (sql.slice(0, 60) === statement.slice(0, 60) && dropped.length === 0) {
        const [oid] = (values?.[0] ?? []) as readonly string[];
        const [row] = await on.database.query<{ schema: string }>(
          'SELECT relnamespace::regnamespace::text AS schema FROM pg_class WHERE oid = $1',
          [oid],
        );
        dropped.push(row?.schema ?? '');
        await on.database.exec(what === '' ? `DROP SCHEMA ${row?.schema} CASCADE` : `DROP TABLE ${row?.schema}${what}`);
      }
      return session.query(sql, values, how);
    };
    const watched = new Proxy(session, {
      get(target, name) {
        if (name === 'query') return query;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    try {
      const desired = await loadShipped({ directory });
      const { groups } = await readCatalog(watched, desired, {
        schemas: [],
        exclude: [],
        allowEmpty: false,
        allowAbsent: false,
      });
      expect(dropped).toHaveLength(1);
      expect(groups.flatMap(({ schemas }) => schemas)).not.toContain(dropped[0]);
      const [shape] = groups.map(({ tables }) => tables.get('orders')?.shape);
      expect(shape).toMatchObject({
        columns: [
          { name: 'state', type: expect.stringMatching(/state$/u) },
          { name: 'placed', default: expect.stringMatching(/date/iu) },
        ],
        constraints: [{ name: 'placed_once', expression: expect.stringContaining('IS NOT NULL') }],
        indexes: [{ name: 'orders_placed' }],
      });
    } finally {
      await session.close();
    }
  },
);

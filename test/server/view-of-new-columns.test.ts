import { expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const files = (columns: string, query: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  items: { columns: { id: { type: bigint, nullable: false }${columns} } }
  notes: { columns: { id: bigint${columns === '' ? '' : ', body: text'} } }
materialized_views:
  summary:
    query: ${query}
    indexes: [{ name: summary_idx, keys: [n] }]
`,
  });
const OLD_QUERY = 'SELECT count(*) AS n FROM ${schema}.items';
const old = files('', OLD_QUERY);

const on = fleetOnServer();

async function filledTenant(schema: string): Promise<void> {
  await on.fleet.provision([schema], { directory: old });
  await on.database.exec(`INSERT INTO ${schema}.items VALUES (1), (2)`);
}

it('a view whose query names a column that cannot be added waits for it, and holds nothing else up', async () => {
  const schema = 'refused';
  await filledTenant(schema);
  const directory = files(
    ', "Kind": { type: text, nullable: false }',
    'SELECT "Kind", count(*) AS n FROM ${schema}.items GROUP BY 1',
  );
  const options = { directory, schemas: [schema] };
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([
    'add-column items.Kind blocked',
    'add-column notes.body pending',
    'replace-materialized-view summary.summary blocked',
    'create-index summary.summary_idx blocked',
  ]);
  expect((await on.fleet.apply(options)).summary).toMatchObject({ partial: 1, failed: 0 });
  expect(changesOf(await on.fleet.plan(options), schema)).not.toContain('add-column notes.body pending');
  const [{ n } = {}] = await on.database.query(`SELECT n FROM ${schema}.summary`);
  expect(n).toBe('0');
});

it('a view whose query names a column that existing rows are filled with first is made after it', async () => {
  const schema = 'filled';
  await filledTenant(schema);
  const directory = files(
    ', kind: { type: text, nullable: false, default: "md5(random()::text)" }',
    'SELECT count(KIND) AS n FROM ${schema}.items',
  );
  const options = { directory, schemas: [schema] };
  expect((await on.fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
});

it('a view of the columns that are there is made, whatever is refused beside it', async () => {
  const schema = 'beside';
  await filledTenant(schema);
  await on.database.exec(`DROP MATERIALIZED VIEW ${schema}.summary`);
  const options = { directory: files(', kind: { type: text, nullable: false }', OLD_QUERY), schemas: [schema] };
  expect((await on.fleet.apply(options)).summary).toMatchObject({ partial: 1, failed: 0 });
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual(['add-column items.kind blocked']);
});

const overViews = (column: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  items: { columns: { id: bigint, kind: text, size: bigint } }
materialized_views:
  counts: { query: "SELECT ${column}, count(*) AS n FROM \${schema}.summary GROUP BY 1" }
  summary: { query: "SELECT ${column}, id FROM \${schema}.items" }
`,
  });

it('a view of another view waits for it, though it is declared before', async () => {
  const schema = 'over_views';
  const options = { schemas: [schema], directory: overViews('kind') };
  await on.fleet.provision([schema], options);
  await on.database.exec(`DROP MATERIALIZED VIEW ${schema}.counts`);
  const other = { schemas: [schema], directory: overViews('size') };
  expect(changesOf(await on.fleet.plan(other), schema)).toEqual([
    'replace-materialized-view summary.summary pending',
    'create-materialized-view counts.counts pending',
  ]);
  expect((await on.fleet.apply(other)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  // The view that is there keeps the one that it reads, and so cannot be made of another.
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([
    'replace-materialized-view summary.summary blocked',
    'replace-materialized-view counts.counts blocked',
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
});

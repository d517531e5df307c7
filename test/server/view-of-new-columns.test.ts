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

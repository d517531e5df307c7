import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { catalogOf } from '../support/catalog.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { loadReferenceTenant, referenceTenantSql } from '../support/reference-tenant.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const there = referenceTenantSql('x') !== null;
let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  if (there) for (const schema of ['t1', 't2', 't3']) await loadReferenceTenant(test, schema);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

it.runIf(there)('N4: the reference tenant is in sync', async () => {
  const plan = await fleet.plan();
  expect(plan.summary).toMatchObject({ tenants: 3, inSync: 3, shapes: 1 });
  expect(plan.databases[0]?.unmanaged).toEqual({ tables: 0, columns: 0, indexes: 0 });
});

it.runIf(there)('of three reference tenants the damaged one is one drift class, and alike after apply', async () => {
  await test.exec(`
    DROP INDEX t2.idx_memory_units_tags;
    DROP INDEX t2.idx_mental_models_embedding;
    CREATE INDEX idx_memory_units_embedding ON t2.memory_units USING hnsw (embedding public.vector_cosine_ops);
    ALTER TABLE t2.memory_units DROP CONSTRAINT memory_units_fact_type_check;
    ALTER TABLE t2.memory_units ALTER metadata DROP DEFAULT, ALTER text DROP NOT NULL;
    ALTER TABLE t2.mental_models ALTER subtype TYPE varchar(16);
    ALTER TABLE t2.memory_links DROP CONSTRAINT fk_memory_links_to_unit_id_memory_units;
    ALTER TABLE t2.observation_history ALTER id SET GENERATED ALWAYS;
    ALTER TABLE t2.banks DROP COLUMN mission;
    DROP TABLE t2.audit_log;
    DROP MATERIALIZED VIEW t2.memory_units_bm25;`);
  const plan = await fleet.plan();
  expect(plan.summary).toMatchObject({ tenants: 3, inSync: 2, drifted: 1, blocked: 0, shapes: 2 });
  expect(plan.classes.map((one) => one.tenants.map((tenant) => tenant.schema))).toEqual([['t2']]);
  expect(changesOf(plan, 't2').toSorted()).toEqual([
    'add-column banks.mission pending',
    'add-constraint memory_links.fk_memory_links_to_unit_id_memory_units pending',
    'add-constraint memory_units.memory_units_fact_type_check pending',
    'alter-column memory_units.metadata pending',
    'alter-column memory_units.text pending',
    'alter-column mental_models.subtype pending',
    'alter-column observation_history.id pending',
    'create-index audit_log.idx_audit_log_action_started pending',
    'create-index audit_log.idx_audit_log_bank_started pending',
    'create-index audit_log.idx_audit_log_started pending',
    'create-index memory_units.idx_memory_units_tags pending',
    'create-index memory_units_bm25.idx_memory_units_bm25_bank pending',
    'create-index memory_units_bm25.idx_memory_units_bm25_text_vector pending',
    'create-index mental_models.idx_mental_models_embedding pending',
    'create-materialized-view memory_units_bm25.memory_units_bm25 pending',
    'create-table audit_log.audit_log pending',
    'drop-index memory_units.idx_memory_units_embedding pending',
  ]);
  const outcome = await fleet.apply();
  expect(outcome.summary).toMatchObject({ tenants: 3, inSync: 2, converged: 1 });
  expect((await fleet.plan()).summary).toMatchObject({ tenants: 3, inSync: 3, drifted: 0 });
  // Columns that were added stand last, so that their order is no part of it.
  const first = await catalogOf(test, 't1');
  for (const schema of ['t2', 't3']) expect(await catalogOf(test, schema)).toEqual(first);
  fleet.forget();
  await fleet.apply();
  expect(fleet.statements.filter((sql) => /^\s*(create|alter|drop|update|insert)\b/iu.test(sql))).toEqual([]);
});

it.runIf(there)('tenants with the same damage are one class, whatever their names', async () => {
  for (const schema of ['t1', 't3']) await test.exec(`DROP INDEX ${schema}.idx_memory_units_text_search`);
  const plan = await fleet.plan();
  expect(plan.classes.map((one) => one.tenants.map((tenant) => tenant.schema))).toEqual([['t1', 't3']]);
  expect((await fleet.apply()).summary).toMatchObject({ converged: 2, inSync: 1 });
});

it.runIf(there)('after apply pg_dump of a damaged reference tenant is that of the others', async () => {
  const own = await createTestDatabase();
  const library = await openFleet(own.url);
  try {
    for (const schema of ['d1', 'd2', 'd3']) await loadReferenceTenant(own, schema);
    // What a column's loss would change for good, its place, is left alone here.
    await own.exec(`
      DROP INDEX d2.idx_memory_units_tags;
      DROP INDEX d2.idx_mental_models_embedding;
      CREATE INDEX idx_memory_units_embedding ON d2.memory_units USING hnsw (embedding public.vector_cosine_ops);
      ALTER TABLE d2.memory_units DROP CONSTRAINT memory_units_fact_type_check;
      ALTER TABLE d2.memory_units ALTER metadata DROP DEFAULT, ALTER text DROP NOT NULL;
      ALTER TABLE d2.memory_links DROP CONSTRAINT fk_memory_links_to_unit_id_memory_units;
      ALTER TABLE d2.mental_model_history ALTER id SET GENERATED ALWAYS;
      ALTER TABLE d2.banks DROP CONSTRAINT banks_internal_id_unique;
      DROP TABLE d2.entity_maintenance_queue;
      DROP TABLE d2.observation_history;
      DROP MATERIALIZED VIEW d2.memory_units_bm25;`);
    expect((await library.plan()).summary).toMatchObject({ tenants: 3, inSync: 2, drifted: 1, blocked: 0 });
    expect((await library.apply()).summary).toMatchObject({ inSync: 2, converged: 1 });
    const [first, second, third] = ['d1', 'd2', 'd3'].map((schema) => pgDump(own.url, schema));
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  } finally {
    await library.close();
    await own.drop();
  }
});

/** A schema's definition as pg_dump writes it, without the schema's name and the dump's own marks. */
function pgDump(url: string, schema: string): readonly string[] {
  const { bin } = inject('testServer');
  const program = bin === null ? 'pg_dump' : join(bin, 'pg_dump');
  const text = execFileSync(program, ['--schema-only', '-n', schema, url], { encoding: 'utf8', maxBuffer: 1e8 });
  return text
    .replaceAll(new RegExp(`\\b${schema}\\b`, 'gu'), 'TENANT')
    .split('\n')
    .filter((line) => !/^(?:--|\\(?:un)?restrict)/u.test(line) && line !== '');
}

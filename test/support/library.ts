import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Hazard } from '../../src/diff/change.js';
import { catalogOf } from './catalog.js';
import { type FleetOptions, type FleetUnderTest, itemsOf, openFleet, summary } from './fleet.js';
import { temporaryDirectory } from './temporary.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

const FLEET = `
version: 1
tenants: { base_schema: { env: LIBRARY_SCHEMA, default: public }, having_tables: [authors, books] }
phases:
  - { name: base, file: base.yaml }
`;

/** Two tables and a view with a bit of everything that a column or a constraint can be. */
const BASE = `
tables:
  authors:
    columns:
      id: { type: bigint, nullable: false, identity: always }
      name: { type: text, nullable: false }
      email: varchar(64)
    primary_key: { name: authors_pkey, columns: [id] }
    unique:
      - { name: authors_email_key, columns: [email] }
  books:
    columns:
      id: { type: uuid, nullable: false, default: gen_random_uuid() }
      author_id: { type: bigint, nullable: false }
      code: { type: varchar(64), nullable: false }
      kind: { type: text, nullable: false, default: "'new'" }
      pages: { type: integer, default: "0" }
      stock: { type: integer, nullable: false, default: "5" }
      token: { type: uuid, nullable: false, default: gen_random_uuid() }
      added: { type: timestamptz, nullable: false, default: now() }
      shelf: { type: text, collation: C }
      title: text
      loud: { type: text, generated: upper(title) }
      note: text
    primary_key: { name: books_pkey, columns: [id] }
    unique:
      - { name: books_code_key, columns: [code, kind] }
    checks:
      - { name: books_pages_check, expression: pages >= 0 }
      - { name: books_kind_check, expression: "kind IN ('new', 'used')" }
    foreign_keys:
      - name: books_author_fkey
        columns: [author_id]
        references: { table: authors, columns: [id] }
        on_delete: cascade
    indexes:
      - { name: books_kind_idx, keys: [kind] }
      - { name: books_shelf_idx, keys: [shelf], where: note IS NOT NULL }
materialized_views:
  summary:
    query: SELECT kind, count(*) AS books FROM \${schema}.books GROUP BY kind
    with_data: true
    indexes:
      - { name: summary_kind_idx, unique: true, keys: [kind] }
`;

const FILL = (schema: string) => `
INSERT INTO ${schema}.authors (name, email) SELECT 'author ' || n, 'a' || n || '@example.org' FROM generate_series(1, 3) n;
INSERT INTO ${schema}.books (author_id, code, kind, pages, shelf, title)
  SELECT 1 + n % 3, 'code ' || n, CASE n % 2 WHEN 0 THEN 'new' ELSE 'used' END, n, 'shelf', 'title ' || n FROM generate_series(1, 50) n;`;

/** What a damage is expected to lead to, for a tenant whose tables are empty and for one whose tables hold rows. */
export interface Damage {
  readonly title: string;
  /** `S` stands for the schema. */
  readonly sql: string;
  readonly empty: readonly string[];
  /** As `empty`, when it is not given. */
  readonly full?: readonly string[];
  readonly hazards?: readonly Hazard[];
  /** What the obstacles of the populated tenant's blocked changes say. */
  readonly obstacle?: RegExp;
  /** SQL that gives one row whose columns are all true once the populated tenant has converged. */
  readonly afterwards?: string;
  /** What no statement sent to the populated tenant may match. */
  readonly never?: RegExp;
  /** Where the damage leaves objects behind that no declaration takes away. */
  readonly leavesMore?: boolean;
}

/** Tenants of a small application: `good` stays whole, `bare` holds no row, `held` does. */
export interface Library {
  readonly test: TestDatabase;
  readonly fleet: FleetUnderTest;
  readonly options: FleetOptions;
  /** Damages both tenants, and checks plan, apply, verification, a second apply, and the catalog. */
  suffer(damage: Damage): Promise<void>;
  close(): Promise<void>;
}

/** Writes a desired state that lasts until a file's tests are over. */
export function temporaryDesiredState(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory('desired-state');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

export async function openLibrary(): Promise<Library> {
  const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
  const test = await createTestDatabase();
  const fleet = await openFleet(test.url);
  // By name: a tenant that lost the tables by which it is found is damaged, and still a tenant.
  const options = { directory, schemas: ['good', 'bare', 'held'] };
  const make = async (schema: string) => {
    await test.exec(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await fleet.provision([schema], { directory });
    if (schema === 'held') await test.exec(FILL(schema));
  };
  for (const schema of ['good', 'bare', 'held']) await make(schema);
  return {
    test,
    fleet,
    options,
    suffer: async (damage) => {
      try {
        for (const schema of ['bare', 'held']) await test.exec(damage.sql.replaceAll(/\bS\./gu, `${schema}.`));
        await check(damage, test, fleet, options);
      } finally {
        if (damage.leavesMore === true || damage.obstacle !== undefined || !(await whole(test)))
          for (const schema of ['bare', 'held']) await make(schema);
      }
    },
    close: async () => {
      await fleet.close();
      await test.drop();
    },
  };
}

async function check(damage: Damage, test: TestDatabase, fleet: FleetUnderTest, options: FleetOptions) {
  const plan = await fleet.plan(options);
  const of = (schema: string) => itemsOf(plan, schema).map(({ change }) => change);
  expect(of('good')).toEqual([]);
  expect(of('bare').map(summary), 'of the empty tenant').toEqual(damage.empty);
  const full = of('held');
  expect(full.map(summary), 'of the populated tenant').toEqual(damage.full ?? damage.empty);
  if (damage.hazards !== undefined)
    expect([...new Set(full.flatMap((change) => change.hazards))].sort()).toEqual([...damage.hazards].sort());
  for (const change of full.filter((one) => one.status === 'blocked')) {
    expect(change.obstacle).toMatch(damage.obstacle ?? /never/u);
    expect(change.remedy).toBeTruthy();
  }

  const statusOf = (changes: readonly { readonly status: string }[]) => {
    const pending = changes.some((change) => change.status === 'pending');
    if (changes.some((change) => change.status === 'blocked')) return pending ? 'partial' : 'blocked';
    return pending ? 'converged' : 'in-sync';
  };
  fleet.forget();
  const outcome = await fleet.apply(options);
  const sent = [...fleet.statements];
  const results = new Map(outcome.tenants.map((tenant) => [tenant.schema, tenant]));
  for (const schema of ['good', 'bare', 'held']) {
    const result = results.get(schema);
    expect([schema, result?.outcome, result?.error]).toEqual([schema, statusOf(of(schema)), null]);
  }
  if (damage.never !== undefined)
    expect(sent.filter((sql) => /\bheld\./u.test(sql) && damage.never?.test(sql))).toEqual([]);

  for (const schema of ['bare', 'held'])
    if (statusOf(of(schema)) === 'converged' && damage.leavesMore !== true)
      expect(await catalogOf(test, schema)).toEqual(await catalogOf(test, 'good'));
  fleet.forget();
  const again = await fleet.apply(options);
  expect(again.tenants.filter((tenant) => !['in-sync', 'blocked'].includes(tenant.outcome))).toEqual([]);
  expect(fleet.statements.filter((sql) => /^\s*(create|alter|drop|update|insert)\b/iu.test(sql))).toEqual([]);
  const [row] = damage.afterwards === undefined ? [] : await test.query(damage.afterwards);
  expect(Object.values(row ?? {}).every((value) => value === true)).toBe(true);
}

/** Whether both tenants are as they were made, rows included. */
async function whole(test: TestDatabase): Promise<boolean> {
  try {
    const [row] = await test.query<{ books: number }>(
      'SELECT count(*)::int + (SELECT count(note)::int FROM held.books) books FROM held.books',
    );
    const [bare, held, good] = [
      await catalogOf(test, 'bare'),
      await catalogOf(test, 'held'),
      await catalogOf(test, 'good'),
    ].map((catalog) => JSON.stringify(catalog));
    return row?.books === 50 && bare === good && held === good;
  } catch {
    return false;
  }
}

import { describe, expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const FLEET = 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]';
const state = (base: string) => temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': base });

/** Shops, their departments under the same key, and what is in those. */
const keys = (type: string, id = `{ type: ${type}, nullable: false }`) =>
  state(`
tables:
  shops:
    columns: { id: ${id} }
    primary_key: { name: shops_pkey, columns: [id] }
  departments:
    columns: { id: { type: ${type}, nullable: false }, parent: ${type} }
    primary_key: { name: departments_pkey, columns: [id] }
    foreign_keys:
      - { name: departments_shop_fkey, columns: [id], references: { table: shops, columns: [id] } }
      - { name: departments_parent_fkey, columns: [parent], references: { table: departments, columns: [id] } }
  items:
    columns: { shop: ${type} }
    foreign_keys:
      - { name: items_department_fkey, columns: [shop], references: { table: departments, columns: [id] } }
`);

/** A column under a key, with what else stands on it. */
const guarded = (type: string, more: string) =>
  state(`
tables:
  shops:
    columns: { id: { type: int, nullable: false }, code: ${type} }
    unique: [{ name: shops_key, columns: [code, id] }]
    ${more}
`);

const on = fleetOnServer();

async function becomes(schema: string, before: string, after: string, between?: string) {
  await on.fleet.provision([schema], { directory: before });
  if (between !== undefined) await on.database.exec(between.replaceAll('S.', `${schema}.`));
  const options = { directory: after, schemas: [schema] };
  const { summary } = await on.fleet.apply(options);
  return { summary, left: changesOf(await on.fleet.plan(options), schema) };
}

const foreignKeys = async (schema: string) =>
  (
    await on.database.query(
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = '${schema}'::regnamespace ORDER BY 1`,
    )
  ).map(({ conname }) => conname);
const ALL = ['departments_parent_fkey', 'departments_shop_fkey', 'items_department_fkey'];

describe('keys that foreign keys rest on get another type', () => {
  const uuid = () => keys('uuid', '{ type: uuid, nullable: false, default: gen_random_uuid() }');

  it.each([
    ['of numbers', 'numbers', () => keys('int')],
    ['of an identity', 'identities', () => keys('bigint', '{ type: bigint, identity: always }')],
  ])('together, in a tenant without rows: %s', async (_, schema, before) => {
    const { summary, left } = await becomes(schema, before(), uuid());
    expect(summary).toMatchObject({ converged: 1 });
    expect(left).toEqual([]);
    expect(await foreignKeys(schema)).toEqual(ALL);
  });

  it('not at all where one of the tables holds rows: every foreign key stays', async () => {
    const { summary, left } = await becomes('rows', keys('int'), uuid(), 'INSERT INTO S.shops VALUES (1)');
    expect(summary).toMatchObject({ blocked: 1, failed: 0 });
    expect(left.filter((change) => !change.endsWith(' blocked'))).toEqual([]);
    expect(await foreignKeys('rows')).toEqual(ALL);
  });

  it('not where one rests on them whose column keeps its type: it is named', async () => {
    const before = keys('int');
    const between = 'CREATE TABLE S.orders (shop int CONSTRAINT orders_fkey REFERENCES S.shops)';
    const after = state(`
tables:
  shops:
    columns: { id: { type: uuid, nullable: false } }
    primary_key: { name: shops_pkey, columns: [id] }
  departments: { columns: { id: { type: int, nullable: false } } }
  orders: { columns: { note: text } }
`);
    const options = { directory: after, schemas: ['staying'] };
    const { summary } = await becomes('staying', before, after, between);
    expect(summary).toMatchObject({ failed: 0 });
    const [refused] = (await on.fleet.plan(options)).classes.flatMap(({ changes }) => changes);
    expect(refused?.change).toMatchObject({
      object: 'id',
      status: 'blocked',
      obstacle: expect.stringMatching(
        /foreign key departments_shop_fkey of table departments, foreign key orders_fkey/u,
      ),
    });
  });
});

describe('a column under a key gets another type, in a tenant without rows', () => {
  it.each([
    [
      'a check',
      guarded('text', 'checks: [{ name: code_check, expression: length(code) < 9 }]'),
      guarded('int', 'checks: [{ name: code_check, expression: code < 9 }]'),
    ],
    [
      'a predicate',
      guarded('boolean', 'indexes: [{ name: shops_idx, keys: [id], where: NOT code }]'),
      guarded('bigint', 'indexes: [{ name: shops_idx, keys: [id], where: code > 0 }]'),
    ],
    [
      'an expression',
      guarded('text', 'indexes: [{ name: shops_idx, keys: [{ expression: lower(code) }] }]'),
      guarded('bigint', 'indexes: [{ name: shops_idx, keys: [{ expression: (code + 1) }] }]'),
    ],
    [
      'an operator class',
      guarded('text', 'indexes: [{ name: shops_idx, keys: [{ column: code, opclass: text_pattern_ops }] }]'),
      guarded('bigint', 'indexes: [{ name: shops_idx, keys: [code] }]'),
    ],
  ])('with %s of the old type on it', async (what, before, after) => {
    const schema = what.replace(/\W/gu, '_');
    const { summary, left } = await becomes(schema, before, after);
    expect(summary).toMatchObject({ converged: 1 });
    expect(left).toEqual([]);
  });
});

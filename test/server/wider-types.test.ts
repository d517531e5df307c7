import { expect, it } from 'vitest';
import { isWider } from '../../src/diff/wider-type.js';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const FAMILIES = [
  ['text', 'varchar', 'varchar(9)', 'character varying(20)'],
  ['varbit', 'varbit(8)', 'bit varying(12)', 'bit(8)'],
  ['numeric', 'numeric(8)', 'numeric(12,3)', 'decimal(14, 3)', 'numeric(14,2)', 'integer'],
  ['timestamp', 'timestamp(3)', 'timestamp(6) without time zone', 'timestamptz', 'timestamptz(0)'],
  ['time', 'time(2)', 'timetz', 'time(4) with time zone'],
];
const pairs = FAMILIES.flatMap((types) => types.flatMap((from) => types.map((to) => [from, to] as const)));

/** Where the server keeps table and index: both are new where it wrote or built them anew. */
const FILES = `SELECT (SELECT array_agg(relfilenode ORDER BY relname) FROM pg_class WHERE relname IN ('t', 't_idx')) files`;

it('C4: only what PostgreSQL changes in its catalogs alone counts as wider, and all of it', async () => {
  const wider: string[] = [];
  const inPlace: string[] = [];
  for (const [from, to] of pairs) {
    if (from === to) continue;
    const words = `${from} to ${to}`;
    if (isWider(to, from)) wider.push(words);
    await on.database.exec(`CREATE TABLE t (c ${from}); CREATE INDEX t_idx ON t (c)`);
    const [before] = await on.database.query(FILES);
    // Time zones other than UTC, under which a timestamp would be the same with one and without.
    const alter = on.database.exec(`SET TimeZone = 'Asia/Tokyo'; ALTER TABLE t ALTER c TYPE ${to}`);
    const isMade = await alter.then(
      () => true,
      () => false,
    );
    if (isMade && JSON.stringify((await on.database.query(FILES))[0]) === JSON.stringify(before)) inPlace.push(words);
    await on.database.exec('DROP TABLE t');
  }
  expect(wider).toEqual(inPlace);
  expect(wider).toContain('numeric(12,3) to decimal(14, 3)');
});

const state = (price: string, at: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  items:
    columns:
      price: { type: "${price}", nullable: false, default: "0" }
      at: { type: "${at}", default: now() }
    indexes: [{ name: items_price, keys: [price], unique: true }]`,
  });

it('C4: a numeric of more digits and a time of finer seconds are altered in place where rows exist', async () => {
  await on.fleet.provision(['t1'], { directory: state('numeric(12,3)', 'timestamptz(3)') });
  await on.database.exec("INSERT INTO t1.items VALUES (1.125, '2026-01-01 00:00:00.125Z')");
  const directory = state('decimal(14,3)', 'timestamptz');
  expect(changesOf(await on.fleet.plan({ directory }), 't1')).toEqual([
    'alter-column items.price pending',
    'alter-column items.at pending',
  ]);
  expect((await on.fleet.apply({ directory })).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  const narrower = await on.fleet.plan({ directory: state('numeric(12,3)', 'timestamptz(3)') });
  expect(changesOf(narrower, 't1')).toEqual(['replace-column items.price blocked', 'replace-column items.at blocked']);
});

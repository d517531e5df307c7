import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

const declared = (id: string, kind: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [docs] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  docs:
    columns:
      id: { type: int, nullable: false${id} }
      kind: { type: text${kind} }
`,
  });

it.each([
  {
    what: 'a partition',
    ties: `CREATE TABLE S.whole (LIKE S.docs) PARTITION BY RANGE (id);
      ALTER TABLE S.whole ATTACH PARTITION S.docs FOR VALUES FROM (0) TO (9)`,
    refused: ['whether column id is an identity', 'NOT NULL of column kind'],
    outcome: 'blocked',
  },
  {
    what: 'a table that inherits',
    ties: 'CREATE TABLE S.whole (LIKE S.docs); ALTER TABLE S.docs INHERIT S.whole',
    refused: ['NOT NULL of column kind'],
    outcome: 'partial',
  },
])('on PostgreSQL 18, of $what identities and NOT NULL are left as its parent has them', async (of) => {
  const schema = of.what.replace(/\W/gu, '_');
  await fleet.provision([schema], { directory: declared('', ', nullable: false') });
  const session = await fleet.database.connect();
  for (const statement of of.ties.replaceAll('S.', `${schema}.`).split(';')) await session.query(statement);
  await session.close();
  const options = { directory: declared(', identity: always', ''), schemas: [schema] };
  const refused = itemsOf(await fleet.plan(options), schema).flatMap(({ change }) => change.obstacle ?? []);
  expect(refused.map((obstacle) => obstacle.replace(/ comes from .*/u, ''))).toEqual(of.refused);
  expect((await fleet.apply(options)).tenants).toMatchObject([{ outcome: of.outcome, error: null }]);
});

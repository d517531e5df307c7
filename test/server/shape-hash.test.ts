import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { alike, damages, noDamages } from '../support/shape-damage.js';
import { everyWay, groupsAfter } from '../support/shape-groups.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SCHEMAS = ['good', 'twin', 'w'];
let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  for (const schema of SCHEMAS) await test.exec(alike(schema));
  fleet = await openFleet(test.url);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

describe('tenants of one shape hash alike', () => {
  it('with serial columns, own types, functions, collations, keys, expressions and views', async () => {
    expect(await groupsAfter(fleet.database, '', SCHEMAS)).toEqual(everyWay('good+twin+w'));
  });

  it.each(Object.entries(noDamages('w')))('with %s', async (_, script) => {
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay('good+twin+w'));
  });
});

describe('a tenant hashes apart', () => {
  it.each(Object.entries(damages('w', 'good')))('with %s', async (_, script) => {
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay('good+twin | w'));
  });

  it('from another that refers to another schema whose name ends in its own', async () => {
    const script = ['twin', 'w'].map(
      (schema) => `CREATE SCHEMA old${schema}; CREATE SEQUENCE old${schema}.s;
      ALTER TABLE ${schema}.child ALTER numbered SET DEFAULT nextval('old${schema}.s')`,
    );
    const apart = 'good | twin | w';
    expect(await groupsAfter(fleet.database, script.join(';'), SCHEMAS)).toEqual(everyWay(apart));
  });

  it('from those that use an operator class or a view’s function of its own', async () => {
    const script = `CREATE OPERATOR CLASS w.ints FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
      ${SCHEMAS.map((schema) => `CREATE INDEX by_class ON ${schema}.child (n w.ints)`).join(';')}`;
    const apart = 'good+twin | w';
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay(apart));
    const views = SCHEMAS.map(
      (schema) =>
        `DROP MATERIALIZED VIEW ${schema}.seen; CREATE MATERIALIZED VIEW ${schema}.seen AS SELECT w.twice(n) FROM ${schema}.child`,
    );
    expect(await groupsAfter(fleet.database, views.join(';'), SCHEMAS)).toEqual(everyWay(apart));
  });

  it('in the table whose foreign key leads to another table’s column of the same number and another name', async () => {
    const script = 'ALTER TABLE w.parent RENAME code TO c';
    expect(await groupsAfter(fleet.database, script, SCHEMAS, 'child')).toEqual(everyWay('good+twin | w'));
  });

  it('in no other table than the one that differs', async () => {
    const script = 'ALTER TABLE w.parent ADD more int';
    expect(await groupsAfter(fleet.database, script, SCHEMAS, 'seen')).toEqual(everyWay('good+twin+w'));
    expect(await groupsAfter(fleet.database, script, SCHEMAS, 'parent')).toEqual(everyWay('good+twin | w'));
  });
});

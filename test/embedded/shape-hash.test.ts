import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { alike, damages, noDamages } from '../support/shape-damage.js';
import { everyWay, groupsAfter } from '../support/shape-groups.js';

const SCHEMAS = ['good', 'twin', 'w'];
let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
  const session = await fleet.database.connect();
  for (const schema of SCHEMAS)
    for (const statement of alike(schema)
      .split(';')
      .filter((part) => part.trim() !== ''))
      await session.query(statement);
  await session.close();
});
afterAll(() => fleet?.close());

describe('on the embedded PostgreSQL 18', () => {
  it.each(Object.entries(noDamages('w')))('a tenant hashes like its twins with %s', async (_, script) => {
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay('good+twin+w'));
  });

  it.each(Object.entries(damages('w', 'good')))('a tenant hashes apart with %s', async (_, script) => {
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay('good+twin | w'));
  });

  it.each([
    ['NOT ENFORCED', 'ALTER TABLE w.child DROP CONSTRAINT child_n, ADD CONSTRAINT child_n CHECK (n > 0) NOT ENFORCED'],
    [
      'a virtual generated column',
      'ALTER TABLE w.child DROP doubled, ADD doubled int GENERATED ALWAYS AS (n * 2) VIRTUAL',
    ],
    [
      'a NOT NULL that is not validated',
      'ALTER TABLE w.child ALTER n DROP NOT NULL, ADD CONSTRAINT x NOT NULL n NOT VALID',
    ],
  ])('a tenant hashes apart with %s', async (_, script) => {
    expect(await groupsAfter(fleet.database, script, SCHEMAS)).toEqual(everyWay('good+twin | w'));
  });

  it('a tenant hashes apart when another of its NOT NULL constraints is the one that is not validated', async () => {
    const script = (schema: string, validated: string, not: string) =>
      `ALTER TABLE ${schema}.child ADD CONSTRAINT x NOT NULL ${validated}, ADD CONSTRAINT y NOT NULL ${not} NOT VALID`;
    const scripts = [script('good', 'm', 't'), script('twin', 'm', 't'), script('w', 't', 'm')];
    expect(await groupsAfter(fleet.database, scripts.join(';'), SCHEMAS)).toEqual(everyWay('good+twin | w'));
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';

const PG_TEXTSEARCH = { load: { backends: { 'text-search': 'pg_textsearch' } } };
const INDEX = 'idx_mental_models_text_search';

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
  await fleet.provision(['t1'], PG_TEXTSEARCH);
});
afterAll(() => fleet?.close());

/** Makes the index anew with other options, and gives what a plan says of that. */
async function saidOf(
  options: string,
  expression = `coalesce(name, '') || ' ' || content`,
): Promise<readonly string[]> {
  const session = await fleet.database.connect();
  try {
    await session.query(`DROP INDEX t1.${INDEX}`);
    await session.query(`CREATE INDEX ${INDEX} ON t1.mental_models USING bm25 ((${expression})) WITH (${options})`);
  } finally {
    await session.close();
  }
  const plan = await fleet.plan(PG_TEXTSEARCH);
  return itemsOf(plan, 't1').map(({ change }) => `${change.action} ${change.object}: ${change.reason}`);
}

it('B13: an option of pg_textsearch at its default, given or not, is none', async () => {
  for (const options of [
    "text_config = 'english'",
    'text_config = english, k1 = 1.2',
    "text_config = 'english', k1 = '1.20', b = 0.750",
  ])
    expect([options, await saidOf(options)]).toEqual([options, []]);
});

it('B13: text_config, k1 or b changed is drift, and apply puts it right', async () => {
  for (const [options, reason] of [
    ["text_config = 'simple'", 'option text_config is simple, declared english'],
    ["text_config = 'english', k1 = 1.5", 'option k1 is 1.5, declared 1.2'],
    ["text_config = 'english', b = 0", 'option b is 0, declared 0.75'],
  ] as const) {
    expect(await saidOf(options)).toEqual([`rebuild-index ${INDEX}: ${reason}`]);
  }
  expect((await fleet.apply(PG_TEXTSEARCH)).summary).toMatchObject({ converged: 1 });
  expect((await fleet.plan(PG_TEXTSEARCH)).summary).toMatchObject({ inSync: 1 });
});

it('B13: the same expression written differently is none, and another one is drift', async () => {
  expect(await saidOf("text_config = 'english'", `(COALESCE(name, ''::text) || ' '::text) || content`)).toEqual([]);
  expect(await saidOf("text_config = 'english'", `content || ' ' || coalesce(name, '')`)).toEqual([
    expect.stringContaining(`rebuild-index ${INDEX}: expression is `) as string,
  ]);
});

it('B13: another text_search_config is drift, and a name that can be none is refused', async () => {
  const on = (text_search_config: string) => ({
    load: { backends: { 'text-search': 'pg_textsearch' }, parameters: { text_search_config } },
  });
  await fleet.apply(PG_TEXTSEARCH);
  expect((await fleet.plan(on('english'))).summary).toMatchObject({ inSync: 1 });
  const said = itemsOf(await fleet.plan(on('german')), 't1').map(({ change }) => `${change.action}: ${change.reason}`);
  expect(said).toEqual(Array(2).fill('rebuild-index: option text_config is english, declared german'));
  expect((await fleet.apply(on('german'))).summary).toMatchObject({ converged: 1 });
  expect((await fleet.plan(on('german'))).summary).toMatchObject({ inSync: 1 });
  await expect(fleet.plan(on("german'; DROP TABLE x"))).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
});

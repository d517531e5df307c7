import { expect, it } from 'vitest';
import { relevanceOf } from '../../src/catalog/relevance.js';
import { loadShipped } from '../support/fleet.js';

it('cuts every table of the shipped extension phases, and none where most tables have constraints or no phase is left out', async () => {
  const extensions = await loadShipped({ load: { phases: ['vector', 'text-search'] } });
  const cut = (await relevanceOf(extensions)).map(({ table }) => table);
  expect(cut).toEqual(
    expect.arrayContaining(extensions.tables.flatMap(({ name, view }) => (view === null ? name : []))),
  );
  expect(await relevanceOf(await loadShipped({ load: { skipExtensionPhases: true } }))).toEqual([]);
  expect(await relevanceOf(await loadShipped())).toEqual([]);
});

import { expect, it } from 'vitest';
import { stagesOf } from '../../src/apply/canaries.js';
import { addColumn, dropIndex, tenant, tenants } from '../support/plan-fixture.js';

const names = (stages: ReturnType<typeof stagesOf>) => stages.map((stage) => stage.map(({ schema }) => schema));

it('R12: canaries come from every drift class, the largest first, and the others follow', () => {
  const fleet = [...tenants(4, addColumn('a')), tenant('lone', dropIndex('i'))];
  const [first = [], rest = []] = names(stagesOf(fleet, 2));
  expect(first).toEqual([fleet[0]?.schema, 'lone']);
  expect(rest).toHaveLength(3);
});

it('R12: without canaries, or with as many as there are tenants, there is one stage', () => {
  const fleet = tenants(3, addColumn('a'));
  expect(stagesOf(fleet, 0)).toEqual([fleet]);
  expect(stagesOf(fleet, 3)).toEqual([fleet]);
  expect(stagesOf([], 2)).toEqual([[]]);
});

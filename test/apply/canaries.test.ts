import { expect, it } from 'vitest';
import { stagesOf } from '../../src/apply/canaries.js';
import { addColumn, dropIndex, tenant, tenants } from '../support/plan-fixture.js';

const names = (stages: ReturnType<typeof stagesOf>) => stages.map((stage) => stage.map(({ schema }) => schema));

it('R12: canaries come from every drift class, the largest first, and the others follow', () => {
  const fleet = [tenant('lone', dropIndex('i')), ...tenants(4, addColumn('a'))];
  expect(names(stagesOf(fleet, 1))).toEqual([['t1'], ['lone', 't2', 't3', 't4']]);
  expect(names(stagesOf(fleet, 2))).toEqual([
    ['t1', 'lone'],
    ['t2', 't3', 't4'],
  ]);
  expect(names(stagesOf(fleet, 4))).toEqual([['t1', 'lone', 't2', 't3'], ['t4']]);
});

it('R12: without canaries, or with as many as there are tenants, there is one stage', () => {
  const fleet = tenants(3, addColumn('a'));
  expect(stagesOf(fleet, 0)).toEqual([fleet]);
  expect(stagesOf(fleet, 3)).toEqual([fleet]);
  expect(stagesOf([], 2)).toEqual([[]]);
});

import { expect, it } from 'vitest';
import { numberedRelations } from '../../src/catalog/numbered-relations.js';

const join = (outer: string, inner: string, ...output: readonly string[]) => ({
  'Node Type': 'Nested Loop',
  Output: output,
  Plans: [outer, inner].map((alias) => ({
    'Node Type': 'Seq Scan',
    'Relation Name': 'items',
    Schema: 's',
    Alias: alias,
  })),
});

it('plans that differ in nothing but what their relations are called read alike', () => {
  expect(numberedRelations(join('items', 'items_1', 'items.a', '(items_1.b + 1)'))).toEqual(
    numberedRelations(join('x', 'y_2', 'x.a', '(y_2.b + 1)')),
  );
});

it('plans that take a column from another of their relations do not', () => {
  const [left, right] = [join('x', 'y', 'x.a', 'y.a'), join('x', 'y', 'y.a', 'y.a')].map(numberedRelations);
  expect(left).not.toEqual(right);
  expect(numberedRelations(join('x', 'y', 'x.a'))).not.toEqual(numberedRelations(join('x', 'y', 'y.a')));
});

it('a relation that is named in expressions alone is one of its kind', () => {
  const [parent] = [join('items_1', 'items_2', 'items_4.a')].map(numberedRelations);
  expect(parent).toEqual(numberedRelations(join('items_1_2', 'items_1_3', 'items.a')));
});

it('leaves strings, functions and schemas as they are', () => {
  const said = (text: string) => (numberedRelations(join('x', 'y', text)) as { Output: readonly string[] }).Output[0];
  expect(said(`x.f(x.a, 'x.a'::text, "z".b)`)).toBe(`x.f(#1.a, 'x.a'::text, "z".b)`);
});

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nameLikes, namePattern } from '../../src/desired-state/family-names.js';
import type { IndexFamily, NamePart } from '../../src/desired-state/model.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

/** Texts of characters that mean something to one of the two, or to SQL. */
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '_', '%', '.', '\\', '|', "'", 'é', '\n', '('),
  maxLength: 4,
});
const filled = text.filter((value) => value !== '');
const lists = fc
  .array(fc.record({ code: filled, value: text }), { minLength: 1, maxLength: 3 })
  .map((entries): IndexFamily['lists'] => [{ name: 'kind', entries }]);
const name = fc.array(
  fc.oneof(
    text,
    fc.constantFrom<NamePart>({ variable: 'kind.code' }, { variable: 'kind.value' }, { variable: 'bank.id' }),
  ),
  { minLength: 1, maxLength: 4 },
);

it('LIKE tells a family’s names from others as the regular expression does', async () => {
  const families = fc
    .sample(fc.tuple(name, lists), { numRuns: 60, seed: 7 })
    .filter(([parts, of]) => nameLikes(parts, of) !== null);
  const others = fc.sample(text, { numRuns: 30, seed: 7 });
  const given = families.flatMap(([parts, of], family) => {
    const made = (of[0]?.entries ?? []).flatMap((entry) =>
      ['', 'a', '_b', '\n'].map((id) =>
        parts
          .map((part) =>
            typeof part === 'string' ? part : part.variable === 'bank.id' ? id : entry[part.variable.slice(5)],
          )
          .join(''),
      ),
    );
    const wrong = made.flatMap((one) => [`${one}b`, one.slice(1), one.replace('_', 'b'), one.replace('%', 'bb')]);
    return [...made, ...wrong, ...others].map((one) => ({ family, name: one }));
  });
  const patterns = families.map(([parts, of]) => namePattern(parts, of));
  const likes = families.map(([parts, of]) => nameLikes(parts, of));
  const rows = await database.query<{ family: number; name: string; byPattern: boolean; byLikes: boolean }>(
    `SELECT family, name, name ~ pattern "byPattern", name LIKE ANY (likes) "byLikes"
       FROM (SELECT g.*, f ->> 'pattern' pattern, ARRAY(SELECT jsonb_array_elements_text(f -> 'likes')) likes
               FROM jsonb_to_recordset($1::jsonb) g(family int, name text) JOIN (
                 SELECT n - 1 family, f FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY f(f, n)) f USING (family)) g`,
    [JSON.stringify(given), JSON.stringify(patterns.map((pattern, at) => ({ pattern, likes: likes[at] })))],
  );
  expect(rows).toHaveLength(given.length);
  expect(rows.filter((row) => row.byPattern !== row.byLikes)).toEqual([]);
  for (const told of [true, false]) expect(rows.some((row) => row.byLikes === told)).toBe(true);
});

it('a family of too many lists is told by its regular expression', () => {
  const entries = Array.from({ length: 7 }, (_, at) => ({ code: String(at) }));
  const of = [
    { name: 'x', entries },
    { name: 'y', entries },
  ];
  expect(nameLikes([{ variable: 'x.code' }], of)).toHaveLength(7);
  expect(nameLikes([{ variable: 'x.code' }, { variable: 'y.code' }], of)).toBeNull();
});

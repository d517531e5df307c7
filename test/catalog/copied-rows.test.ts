import { expect, it } from 'vitest';
import { copyRows } from '../../src/catalog/copied-rows.js';
import type { Session } from '../../src/database/session.js';

const schemas = Array.from({ length: 300 }, (_, at) => `t${at}`);

/** A session whose tables are all plain, with rows of so many characters each. */
const sessionWith = (charactersOf: (schema: string) => readonly number[]) =>
  ({
    query: async () => [{ names: schemas, types: ['text'] }],
    copyOut: async (statements: readonly string[], row: (at: number, values: readonly string[]) => void) => {
      for (const [at, statement] of statements.entries())
        for (const length of charactersOf(/^COPY "?(t\d+)/u.exec(statement)?.[1] ?? '')) row(at, ['x'.repeat(length)]);
    },
  }) as unknown as Session;

async function copied(charactersOf: (schema: string) => readonly number[]) {
  const taken: (readonly [string, number])[] = [];
  const left = await copyRows(
    sessionWith(charactersOf),
    schemas,
    { table: 'shops', columns: ['id'] },
    async (batch) => {
      for (const { at, values } of batch.rows) taken.push([batch.schemas[at] ?? '', values[0]?.length ?? 0]);
      return batch.schemas;
    },
  );
  return { left, taken };
}

it('what is too large to be copied is told table by table: a message of many small ones is not', async () => {
  const { left, taken } = await copied(() => [300, 20]);
  expect(left).toEqual([]);
  expect(taken).toEqual(schemas.flatMap((schema) => [300, 20].map((length) => [schema, length])));
});

it('a table that is too large is left, with what has come of it, and the others of its message are taken', async () => {
  const isLarge = (schema: string) => ['t0', 't7', 't249', 't299'].includes(schema);
  const { left, taken } = await copied((schema) => (isLarge(schema) ? [30_000, 10, 3000, 5] : [10]));
  expect(left).toEqual(['t0', 't7', 't249', 't299']);
  expect(taken).toEqual(schemas.filter((schema) => !isLarge(schema)).map((schema) => [schema, 10]));
});

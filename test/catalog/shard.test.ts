import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isInShard } from '../../src/catalog/shard.js';

it('splits a fleet so that each tenant is in exactly one part, whatever the number of parts', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 63 });
  fc.assert(
    fc.property(name, name, fc.integer({ min: 1, max: 40 }), (database, schema, count) => {
      const parts = Array.from({ length: count }, (_, index) => isInShard({ index, count }, database, schema));
      expect(parts.filter(Boolean)).toHaveLength(1);
    }),
  );
});

it('is stable: other versions and machines must split alike', () => {
  const of = (schema: string) => [0, 1, 2, 3, 4, 5, 6].filter((index) => isInShard({ index, count: 7 }, 'app', schema));
  // sha256('app\0' + schema), first 8 bytes big-endian, modulo 7; computed with another implementation.
  expect(['tenant_a', 'Tenant-B', 'ünï'].map((schema) => of(schema))).toEqual([[2], [2], [5]]);
});

it('splits evenly', () => {
  const tenants = Array.from({ length: 4000 }, (_, at) => `t${at}`);
  for (const index of [0, 1, 2, 3]) {
    const mine = tenants.filter((schema) => isInShard({ index, count: 4 }, 'app', schema));
    expect(Math.abs(mine.length - 1000)).toBeLessThan(120);
  }
});

import { expect, it } from 'vitest';
import { writtenNamePattern } from '../../src/desired-state/family-names.js';

const matches = (pattern: string, name: string): boolean => new RegExp(pattern, 'u').test(name);

it('tells a family’s members by name: listed values as listed, values of rows and parameters as anything', () => {
  const pattern = writtenNamePattern({
    name: `i.$\{kind.code}_$\{shop.short}_$\{width}`,
    for_each: {
      shop: { table: 'shops', values: { short: 'left(name, 8)' } },
      kind: [
        { value: 'new', code: 'n+' },
        { value: 'used', code: 'u' },
      ],
    },
  });
  for (const name of ['i.n+_anna_8', 'i.u_x_y_8', 'i.u__8']) expect(matches(pattern, name)).toBe(true);
  for (const name of ['i.n_anna_8', 'ixu_anna_8', 'other i.u_a_8', 'i.new_a_8'])
    expect(matches(pattern, name)).toBe(false);
});

it('takes a listed value that a parameter fills in for anything', () => {
  const pattern = writtenNamePattern({ name: `i_$\{kind.value}`, for_each: { kind: ['a', `b$\{width}`] } });
  expect(matches(pattern, 'i_b8')).toBe(true);
});

import { expect, it } from 'vitest';
import { counted, number } from '../../src/counted.js';

it('whole numbers are written in groups of three digits', () => {
  const said = [0, 7, 999, 1000, 9988, 10_000, 1_234_567, -999, -1000].map(number);
  expect(said).toEqual(['0', '7', '999', '1,000', '9,988', '10,000', '1,234,567', '-999', '-1,000']);
  for (let value = 1; value < Number.MAX_SAFE_INTEGER; value = value * 3 + 1)
    expect(number(value)).toBe(value.toLocaleString('en-US'));
});

it('one is one, and of more the plural is said', () => {
  expect([1, 0, 9988].map((value) => counted(value, 'tenant'))).toEqual(['1 tenant', '0 tenants', '9,988 tenants']);
  expect(counted(2, 'index', 'indexes')).toBe('2 indexes');
});

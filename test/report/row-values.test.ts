import { expect, it } from 'vitest';
import { withoutRowValues } from '../../src/report/row-values.js';

it.each([
  ['twice', 'twice'],
  ['by two families', 'which index family idx_${shop.id} gives too'],
  ['by the desired state as well', 'which the desired state declares too'],
])('a member’s name that is given %s is not said', (_, end) => {
  const message = (name: string) =>
    `index family idx_\${kind.code}_\${shop.id} gives the name ${name}${end === 'twice' ? ' ' : ', '}${end}`;
  expect(withoutRowValues(message('idx_a_Anna, Bonn'))).toBe(message('…'));
});

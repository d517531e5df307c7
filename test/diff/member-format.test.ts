import { describe, expect, it } from 'vitest';
import { predicateTemplate } from '../../src/diff/family-members.js';
import { memberFormat } from '../../src/diff/member-format.js';
import { renderSql } from '../../src/sql/template.js';

const VARIABLES = ['shop.id', 'kind.value'];
const where = ['kind = ', { variable: 'kind.value' }, " AND state = '50%' AND shop = ", { variable: 'shop.id' }];

/** What is learned from a member with these values, whose predicate the server writes as `actual`. */
function learned(shop: string, kind: string, actual: string) {
  const values = { 'shop.id': shop, 'kind.value': kind };
  const template = predicateTemplate({ where });
  const member = {
    name: 'x',
    values,
    where: template === null ? null : renderSql(template, { ...values, schema: 's' }),
  };
  return memberFormat({ where }, VARIABLES, member, actual);
}

describe('the format of a family’s predicates', () => {
  it('has the member’s values open, in the server’s order, and constants of the declaration as they are', () => {
    const actual = `((shop = 'a''b'::text) AND (kind = 'new'::text) AND (state = '50%'::text))`;
    expect(learned("a'b", 'new', actual)).toBe(
      "((shop = %1$s::text) AND (kind = %3$s::text) AND (state = '50%%'::text))",
    );
  });

  it('tells a number that stands bare from a string', () => {
    const actual = `((shop = 7) AND (kind = 'new'::text) AND (state = '50%'::text))`;
    expect(learned('7', 'new', actual)).toBe("((shop = %2$s) AND (kind = %3$s::text) AND (state = '50%%'::text))");
  });

  it('is not learned where two constants are equal: each could stand for the other', () => {
    const actual = `((shop = 'new'::text) AND (kind = 'new'::text) AND (state = '50%'::text))`;
    expect(learned('new', 'new', actual)).toBeNull();
    expect(learned('50%', 'new', actual.replace('new', '50%'))).toBeNull();
  });

  it('is not learned from a predicate with a constant more, or with another', () => {
    expect(learned('a', 'new', `((shop = 'a') AND (kind = 'new') AND (state = '50%') AND (n > 5))`)).toBeNull();
    expect(learned('a', 'new', `((shop = 'a') AND (kind = 'old') AND (state = '50%'))`)).toBeNull();
  });

  it('is not learned where a column’s name looks like a parameter', () => {
    expect(learned('a', 'new', `((shop = 'a') AND ("$1" = 'new') AND (state = '50%'))`)).toBeNull();
  });
});

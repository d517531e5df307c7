import { describe, expect, it } from 'vitest';
import { relativeQuery, relativeTo } from '../../src/sql/relative.js';
import { relativeSql, renderSql, TENANT_SCHEMA_SQL as T } from '../../src/sql/template.js';

describe('relativeTo', () => {
  it.each([
    ['tenant_a', 'tenant_a.f(x) + "tenant_a".g(y)', `${T}.f(x) + ${T}.g(y)`],
    ['tenant_a', "nextval('tenant_a.s'::regclass)", `nextval('${T}.s'::regclass)`],
    ['tenant_a', "nextval('tenant_a.s'::pg_catalog.regclass)", `nextval('${T}.s'::pg_catalog.regclass)`],
    ['tenant_a', "a = 'tenant_a.s'::text", "a = 'tenant_a.s'::text"],
    ['tenant_a', "a = 'it''s tenant_a.b'::text", "a = 'it''s tenant_a.b'::text"],
    ['tenant_a', "a = E'\\\\'' tenant_a.b'::text", "a = E'\\\\'' tenant_a.b'::text"],
    [
      'tenant_a',
      'x_tenant_a.f() + tenant_a1.f() + other.tenant_a.f',
      'x_tenant_a.f() + tenant_a1.f() + other.tenant_a.f',
    ],
    ['tenant_a', 'tenant_a + 1', 'tenant_a + 1'],
    ['tenant_a', '"x tenant_a.y"', '"x tenant_a.y"'],
    ['Tenant "A"', 'f(x)::"Tenant ""A""".t', `f(x)::${T}.t`],
    ["o'brien", "nextval('\"o''brien\".s'::regclass)", `nextval('${T}.s'::regclass)`],
    ['a\\b', 'nextval(\'"a\\b".s\'::regclass)', `nextval('${T}.s'::regclass)`],
    ['select', '"select".t', `${T}.t`],
    ['Tenant', 'tenant.t', 'tenant.t'],
  ])('S5: makes what names %s relative: %s', (schema, text, expected) => {
    expect(relativeTo(schema, text)).toBe(expected);
  });

  it.each(['plain', 'Tenant "A"', "o'brien", 'a\\b', 'select'])('S5: a template gives %s back', (schema) => {
    const template = relativeSql(`nextval('${T}.s'::regclass) + ${T}.f('x''${'y'}', "it's")`);
    const rendered = renderSql(template, { schema });
    expect(relativeTo(schema, rendered)).toBe(`nextval('${T}.s'::regclass) + ${T}.f('x''y', "it's")`);
  });
});

describe('what an extension keeps in the tenant’s schema', () => {
  it.each([
    ["(h OPERATOR(tenant_a.->) 'a'::text)", "(h OPERATOR(tenant_a.->) 'a'::text)"],
    ['(a OPERATOR(tenant_a.=) b)', '(a OPERATOR(tenant_a.=) b)'],
    ['(a OPERATOR(tenant_a.==) b)', `(a OPERATOR(${T}.==) b)`],
    ['(a)::tenant_a.citext', '(a)::tenant_a.citext'],
  ])('is named alike in every tenant: %s', (text, expected) => {
    const brought = new Set(['->', '=', 'citext']);
    expect(relativeTo('tenant_a', text, (name) => brought.has(name))).toBe(expected);
  });
});

describe('relativeQuery', () => {
  it.each([
    ['SELECT shop.id, shop.b FROM shop.shop', `SELECT shop.id, shop.b FROM ${T}.shop`],
    [
      'SELECT "größe".id, shop.f(shop.id) FROM shop.t "größe" JOIN shop.u shop ON (("größe".id = shop.id))',
      `SELECT "größe".id, ${T}.f(shop.id) FROM ${T}.t "größe" JOIN ${T}.u shop ON (("größe".id = shop.id))`,
    ],
    ["SELECT count(shop.*), 'a'::shop.c FROM shop.shop", `SELECT count(shop.*), 'a'::${T}.c FROM ${T}.shop`],
  ])('leaves the name of a table alone that is that of the schema: %s', async (text, expected) => {
    expect(await relativeQuery('shop', text, () => false)).toBe(expected);
  });
});

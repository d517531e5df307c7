import { describe, expect, it } from 'vitest';
import type { NameResolver } from '../../src/sql/names.js';
import { qualifyNames, qualifyOperatorClass } from '../../src/sql/qualify.js';
import { TENANT_SCHEMA_SQL as T } from '../../src/sql/template.js';

const own = new Set(['vector', 'similarity', 'vector_cosine_ops']);
const names: NameResolver = {
  schemaOf: (_kind, name) => (own.has(name) ? 'My Ext' : null),
  extensionOf: (_kind, schema, name) => (schema === 'My Ext' && own.has(name) ? 'vector' : null),
};

describe('qualifyNames', () => {
  it.each([
    ['type', 'vector(384)', '"My Ext".vector(384)'],
    ['type', 'vector[]', '"My Ext".vector[]'],
    ['type', 'public.vector', 'public.vector'],
    ['type', 'varchar(20)', 'varchar(20)'],
    [
      'expression',
      "'é' || similarity(a, 'é')::vector(3) || lower(b)",
      `'é' || "My Ext".similarity(a, 'é')::"My Ext".vector(3) || lower(b)`,
    ],
    ['expression', "vector '[1]' = a", `"My Ext".vector '[1]' = a`],
    ['expression', 'similarity', 'similarity'],
    [
      'query',
      'SELECT a FROM t, other.u WHERE a::vector IS NULL',
      `SELECT a FROM ${T}.t, other.u WHERE a::"My Ext".vector IS NULL`,
    ],
    [
      'query',
      'WITH x AS (SELECT 1 FROM t) SELECT * FROM x JOIN ONLY "É" y ON true',
      `WITH x AS (SELECT 1 FROM ${T}.t) SELECT * FROM x JOIN ONLY ${T}."É" y ON true`,
    ],
    [
      'query',
      'SELECT 1 FROM a UNION SELECT 2 FROM b WHERE EXISTS (SELECT 1 FROM c)',
      `SELECT 1 FROM ${T}.a UNION SELECT 2 FROM ${T}.b WHERE EXISTS (SELECT 1 FROM ${T}.c)`,
    ],
  ] as const)('B10: qualifies the %s %s', async (kind, text, expected) => {
    expect(await qualifyNames(kind, text, names)).toBe(expected);
  });

  it('B10: qualifies operator classes', async () => {
    expect(await qualifyOperatorClass('vector_cosine_ops', names)).toBe('"My Ext".vector_cosine_ops');
    expect(await qualifyOperatorClass('text_ops', names)).toBe('text_ops');
    expect(await qualifyOperatorClass('x.vector_cosine_ops', names)).toBe('x.vector_cosine_ops');
  });
});

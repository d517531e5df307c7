import { expect, it } from 'vitest';
import type { FragmentKind } from '../../src/sql/fragments.js';
import { schemasNamedIn } from '../../src/sql/schema-names.js';

it.each<[FragmentKind, string, readonly string[]]>([
  ['type', 'shared.plan[]', ['shared']],
  ['type', 'numeric(12,2)', []],
  ['expression', "'free'::shared.plan", ['shared']],
  ['expression', "lower(tools.norm(a.b, x)) || 'other.word'", ['tools']],
  ['expression', `nextval('"Shared".numbers'::regclass)`, ['Shared']],
  ['expression', "nextval('shared.numbers')", ['shared']],
  ['expression', 'a OPERATOR(ext.<->) b', ['ext']],
  ['query', 'SELECT a OPERATOR(ext.=) ANY (SELECT b FROM t)', ['ext']],
  ['query', 'SELECT a FROM t ORDER BY a USING OPERATOR(ext.<)', ['ext']],
  ['expression', 'a COLLATE shared.ci', ['shared']],
  ['query', 'SELECT (SELECT shared.f(t.a)) FROM t WHERE t.b::own.kind IS NULL', ['shared', 'own']],
  ['operator-class', 'ext.ops', ['ext']],
  ['operator-class', 'ops', []],
])('the schemas that a %s names: %s', async (kind, fragment, schemas) => {
  expect(await schemasNamedIn(kind, fragment)).toEqual(schemas);
});

import { describe, expect, it } from 'vitest';
import type { IndexKeyShape } from '../../src/shape/table-shape.js';
import { parseIndexDefinition } from '../../src/sql/index-definition.js';
import { TENANT_SCHEMA_SQL as T } from '../../src/sql/template.js';
import { indexKey } from '../support/diff-fixture.js';

const key = (given: Partial<IndexKeyShape>) => indexKey(null, given);

describe('parseIndexDefinition', () => {
  it.each<[string, readonly IndexKeyShape[], readonly string[], string | null]>([
    [
      'CREATE INDEX i ON s.t USING btree (a, b DESC, "C d" NULLS FIRST, e DESC NULLS LAST)',
      [
        key({ column: 'a' }),
        key({ column: 'b', order: 'desc', nulls: 'first' }),
        key({ column: 'C d', nulls: 'first' }),
        key({ column: 'e', order: 'desc', nulls: 'last' }),
      ],
      [],
      null,
    ],
    [
      "CREATE UNIQUE INDEX i ON s.t USING btree (a, COALESCE(b, ''::character varying), lower(c)) WHERE ((k)::text = 'p'::text)",
      [
        key({ column: 'a' }),
        key({ expression: "COALESCE(b, ''::character varying)" }),
        key({ expression: 'lower(c)' }),
      ],
      [],
      "((k)::text = 'p'::text)",
    ],
    [
      "CREATE INDEX i ON s.t USING gin (lower(a) public.gin_trgm_ops) WHERE (k <> 'x, WHERE )'::text)",
      [key({ expression: 'lower(a)', opclass: 'public.gin_trgm_ops' })],
      [],
      "(k <> 'x, WHERE )'::text)",
    ],
    [
      "CREATE INDEX i ON s.t USING gist (a public.gist_trgm_ops (siglen='32'), b s.ops)",
      [
        key({ column: 'a', opclass: 'public.gist_trgm_ops', opclassOptions: { siglen: '32' } }),
        key({ column: 'b', opclass: `${T}.ops` }),
      ],
      [],
      null,
    ],
    [
      "CREATE INDEX i ON s.t USING hnsw (e public.vector_cosine_ops) WITH (m='16') WHERE (f = 'w'::text)",
      [key({ column: 'e', opclass: 'public.vector_cosine_ops' })],
      [],
      "(f = 'w'::text)",
    ],
    [
      'CREATE UNIQUE INDEX "USING" ON ONLY s."t (USING" USING btree (((a || \',\'::text)) COLLATE "C" text_pattern_ops, s.f(a)) INCLUDE (x, "y, z") NULLS NOT DISTINCT WITH (fillfactor=\'70\') TABLESPACE "WHERE" WHERE s.g(a)',
      [
        key({ expression: "(a || ','::text)", collation: '"C"', opclass: 'text_pattern_ops' }),
        key({ expression: `${T}.f(a)` }),
      ],
      ['x', 'y, z'],
      `${T}.g(a)`,
    ],
  ])('reads %s', async (definition, keys, include, where) => {
    expect(await parseIndexDefinition(definition, 's')).toEqual({ keys, include, where });
  });

  it('fails shortly on another form', async () => {
    await expect(parseIndexDefinition('CREATE TABLE t ()', 's')).rejects.toThrow('cannot be read');
    await expect(parseIndexDefinition('CREATE INDEX i ON s.t USING btree (a b c d)', 's')).rejects.toThrow(
      'cannot be read',
    );
  });
});

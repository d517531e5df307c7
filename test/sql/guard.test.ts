import { describe, expect, it } from 'vitest';
import { assertStatement } from '../../src/sql/guard.js';
import { identifierVariable, literalVariable, SCHEMA, type SqlTemplate, sql } from '../../src/sql/template.js';

const allowed = { schemas: ['public', 'bm25_catalog'] };
const relation = sql`'${{ variable: 'schema', as: 'in-literal' }}.t'`;

describe('assertStatement', () => {
  it.each<[string, SqlTemplate]>([
    [
      'table',
      sql`CREATE TABLE ${SCHEMA}.t (a integer PRIMARY KEY, b public.vector(3), c text REFERENCES ${SCHEMA}.u (c))`,
    ],
    [
      'member index',
      sql`CREATE INDEX CONCURRENTLY ${identifierVariable('member')} ON ${SCHEMA}.t USING hnsw (b public.vector_cosine_ops) WHERE f = ${literalVariable('bank')}`,
    ],
    [
      'view',
      sql`CREATE MATERIALIZED VIEW ${SCHEMA}.v AS WITH x AS (SELECT 1) SELECT * FROM ${SCHEMA}.t, x WITH NO DATA`,
    ],
    ['drops', sql`DROP INDEX CONCURRENTLY ${SCHEMA}.i`],
    ['view drop', sql`DROP MATERIALIZED VIEW ${SCHEMA}.v`],
    ['schema', sql`CREATE SCHEMA ${SCHEMA}`],
    ['extension', sql`CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public`],
    ['column', sql`ALTER TABLE ${SCHEMA}.t ADD COLUMN c text DEFAULT 'x' NOT NULL`],
    ['type', sql`ALTER TABLE ${SCHEMA}.t ALTER COLUMN b TYPE public.vector(5) USING NULL::public.vector(5)`],
    [
      'constraint',
      sql`ALTER TABLE ${SCHEMA}.t ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES ${SCHEMA}.u (a) ON DELETE CASCADE NOT VALID`,
    ],
    ['validation', sql`ALTER TABLE ${SCHEMA}.t VALIDATE CONSTRAINT x`],
    ['constraint rename', sql`ALTER TABLE ${SCHEMA}.t RENAME CONSTRAINT x TO y`],
    ['rename', sql`ALTER INDEX ${SCHEMA}.i RENAME TO j`],
    ['owner', sql`ALTER MATERIALIZED VIEW ${SCHEMA}.v OWNER TO ${identifierVariable('owner')}`],
    ['stamp', sql`INSERT INTO ${SCHEMA}.version (v) VALUES ('1')`],
    [
      'backfill',
      sql`UPDATE ${SCHEMA}.t SET a = DEFAULT WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${SCHEMA}.t WHERE a IS NULL LIMIT 10))`,
    ],
    [
      'setval',
      sql`SELECT pg_catalog.setval(s.objid::regclass, t.n) FROM (SELECT max(a) AS n FROM ${SCHEMA}.t) t, pg_catalog.pg_depend s WHERE s.refobjid = ${relation}::regclass`,
    ],
    [
      'string with a dot in it',
      sql`ALTER TABLE ${SCHEMA}.t ADD CHECK (a <> 'other.x'), ADD CHECK (starts_with(a, 'other.x'::text))`,
    ],
    ['option whose value is a string', sql`CREATE INDEX i ON ${SCHEMA}.t USING gin (a) WITH (tokenizer = 'other')`],
    [
      'sequence of its own by its quoted name',
      sql`ALTER TABLE ${SCHEMA}.t ALTER a SET DEFAULT nextval('${{ variable: 'schema', as: 'in-literal' }}."a sequence"')`,
    ],
  ])('lets a %s through', async (_name, template) => {
    await expect(assertStatement(template, allowed)).resolves.toBeUndefined();
  });

  it.each<[string, SqlTemplate]>([
    ['two statements', sql`DROP INDEX ${SCHEMA}.i; DROP TABLE ${SCHEMA}.t`],
    ['none', sql``],
    ['a table drop', sql`DROP TABLE ${SCHEMA}.t`],
    ['a schema drop', sql`DROP SCHEMA ${SCHEMA} CASCADE`],
    ['an extension drop', sql`DROP EXTENSION vector`],
    ['TRUNCATE', sql`TRUNCATE ${SCHEMA}.t`],
    ['DELETE', sql`DELETE FROM ${SCHEMA}.t`],
    ['a hidden DELETE', sql`WITH x AS (DELETE FROM ${SCHEMA}.t RETURNING a) INSERT INTO ${SCHEMA}.u SELECT a FROM x`],
    ['a comment', sql`COMMENT ON TABLE ${SCHEMA}.t IS 'x'`],
    ['GRANT', sql`GRANT SELECT ON ${SCHEMA}.t TO x`],
    ['CASCADE', sql`ALTER TABLE ${SCHEMA}.t DROP COLUMN a CASCADE`],
    ['an index drop with CASCADE', sql`DROP INDEX ${SCHEMA}.i CASCADE`],
    ['a trigger switch', sql`ALTER TABLE ${SCHEMA}.t DISABLE TRIGGER ALL`],
    ['an unqualified table', sql`CREATE TABLE t (a int)`],
    ['an unqualified index', sql`DROP INDEX i`],
    ['one of two objects elsewhere', sql`DROP INDEX ${SCHEMA}.i, public.j`],
    ['another schema', sql`CREATE INDEX i ON public.t (a)`],
    ['a schema that is not allowed', sql`CREATE TABLE ${SCHEMA}.t (a other.type)`],
    ['a foreign key elsewhere', sql`ALTER TABLE ${SCHEMA}.t ADD FOREIGN KEY (a) REFERENCES other.u (a)`],
    ['a function elsewhere', sql`ALTER TABLE ${SCHEMA}.t ALTER a SET DEFAULT other.f()`],
    ['a sequence elsewhere', sql`ALTER TABLE ${SCHEMA}.t ALTER a SET DEFAULT nextval('other.s'::regclass)`],
    ['a sequence elsewhere, without a cast', sql`ALTER TABLE ${SCHEMA}.t ALTER a SET DEFAULT nextval('other.s')`],
    ['a sequence elsewhere, quoted', sql`ALTER TABLE ${SCHEMA}.t ALTER a SET DEFAULT nextval('"other".s')`],
    ['an unqualified table in a foreign key', sql`ALTER TABLE ${SCHEMA}.t ADD FOREIGN KEY (a) REFERENCES u (a)`],
    ['a view made in another schema', sql`CREATE MATERIALIZED VIEW public.v AS SELECT 1 WITH NO DATA`],
    ['an index renamed in another schema', sql`ALTER INDEX public.i RENAME TO j`],
    ['an operator elsewhere', sql`ALTER TABLE ${SCHEMA}.t ADD CHECK (a OPERATOR(other.=) 1)`],
    [
      'an operator of ANY elsewhere',
      sql`CREATE MATERIALIZED VIEW ${SCHEMA}.v AS SELECT 1 OPERATOR(other.=) ANY (SELECT 1)`,
    ],
    [
      'an operator of an order elsewhere',
      sql`CREATE MATERIALIZED VIEW ${SCHEMA}.v AS SELECT 1 a ORDER BY a USING OPERATOR(other.<)`,
    ],
    ['an operator class elsewhere', sql`CREATE INDEX i ON ${SCHEMA}.t (a other.ops)`],
    ['an extension elsewhere', sql`CREATE EXTENSION vector SCHEMA other`],
    ['another schema made', sql`CREATE SCHEMA other`],
    ['a plain SELECT', sql`SELECT pg_catalog.pg_terminate_backend(1)`],
    ['setval with company', sql`SELECT setval(${relation}, pg_catalog.pg_terminate_backend(1)::int)`],
    ['nonsense', sql`CREATE NONSENSE`],
  ])('refuses %s', async (_name, template) => {
    await expect(assertStatement(template, allowed)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' });
  });
});

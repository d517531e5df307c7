import { describe, expect, it } from 'vitest';
import { sqlHtml } from '../../../src/report/html/sql-html.js';

const plain = (markup: string): string =>
  markup
    .replaceAll(/<[^>]*>/gu, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('a statement as markup', () => {
  it.each([
    `DROP INDEX CONCURRENTLY :"schema".idx_items_body`,
    `CREATE INDEX i ON :"schema".t USING gin (a) WHERE kind = :'kind.value' AND n < 3`,
    `ALTER TABLE :"schema"."Tab""le<b>" ADD COLUMN a text DEFAULT 'it''s </pre>' /* c */`,
    `COMMENT ON x IS 'two\nlines'`,
  ])('is the statement again, without the tags: %s', (statement) => {
    expect(plain(sqlHtml(statement).markup)).toBe(`${statement};`);
  });

  it('marks keywords, constants, numbers and psql’s variables, and no name', () => {
    const marked = sqlHtml(`ALTER TABLE :"schema"."ADD" ALTER c SET DEFAULT 20, d = 'x' || :'row.id'`).markup;
    const spans = [...marked.matchAll(/<span class="(.)">([^<]*)</gu)].map(([, kind, text]) => [
      kind,
      plain(text ?? ''),
    ]);
    expect(spans).toEqual([
      ['k', 'ALTER'],
      ['k', 'TABLE'],
      ['v', ':'],
      ['v', '"schema"'],
      ['k', 'ALTER'],
      ['k', 'SET'],
      ['k', 'DEFAULT'],
      ['n', '20'],
      ['s', "'x'"],
      ['v', ':'],
      ['v', "'row.id'"],
    ]);
  });

  it('sets the columns of a long CREATE TABLE one a line, and changes nothing but space', () => {
    const statement = `CREATE TABLE :"schema".webhooks (id uuid DEFAULT gen_random_uuid() NOT NULL, url varchar(64), price numeric(10, 2), note text DEFAULT 'a, (b', CONSTRAINT p PRIMARY KEY (id, url))`;
    const text = plain(sqlHtml(statement).markup);
    expect(text.split('\n')).toEqual([
      'CREATE TABLE :"schema".webhooks (',
      '  id uuid DEFAULT gen_random_uuid() NOT NULL,',
      '  url varchar(64),',
      '  price numeric(10, 2),',
      "  note text DEFAULT 'a, (b',",
      '  CONSTRAINT p PRIMARY KEY (id, url)',
      ');',
    ]);
  });

  it('leaves text alone that no token ends', () => {
    expect(plain(sqlHtml(`SELECT 'open`).markup)).toBe(`SELECT 'open;`);
  });
});

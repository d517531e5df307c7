import { describe, expect, it } from 'vitest';
import { columnDefinition } from '../../src/sql/ddl/column.js';
import { serialDefault, serialSequence, serialType } from '../../src/sql/serial.js';
import { showSql } from '../../src/sql/template.js';

describe('the sequence of a serial column', () => {
  it.each([
    ['items', 'id', 'items_id_seq'],
    ['t'.repeat(60), 'id', `${'t'.repeat(56)}_id_seq`],
    ['t'.repeat(60), 'c'.repeat(60), `${'t'.repeat(29)}_${'c'.repeat(29)}_seq`],
    ['é'.repeat(31), 'number', `${'é'.repeat(26)}_number_seq`],
  ])('of %s.%s has the name that PostgreSQL gives it', (table, column, name) => {
    expect(serialSequence(table, column)).toBe(name);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  });

  it('stands quoted in the default where its name needs it', () => {
    expect(serialDefault('items', 'id')).toBe(`nextval('"\u0001".items_id_seq'::regclass)`);
    expect(serialDefault("it's", 'Id')).toBe(`nextval('"\u0001"."it''s_Id_seq"'::regclass)`);
  });

  it('is made by the pseudo-type of its size, which is NOT NULL by itself', () => {
    expect(['smallint', 'int', 'integer', 'BIGINT', 'int8'].map(serialType)).toEqual([
      'smallserial',
      'serial',
      'serial',
      'bigserial',
      'bigserial',
    ]);
    const column = {
      name: 'Id',
      type: 'bigint',
      collation: null,
      notNull: true,
      default: serialDefault('items', 'Id'),
      generated: null,
      identity: null,
      serial: true,
    } as const;
    expect(showSql(columnDefinition(column))).toBe('"Id" bigserial NOT NULL');
  });
});

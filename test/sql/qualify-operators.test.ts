import { describe, expect, it } from 'vitest';
import { qualifyOperators } from '../../src/sql/qualify-operators.js';

const qualified = (query: string) =>
  qualifyOperators(query, (name) => (name === '<=>' || name === '@@@' ? 'Ext' : null));

describe('operators of extensions in a query', () => {
  it('are written with their schema, wherever they stand', async () => {
    expect(await qualified('SELECT a <=> b FROM t WHERE (a<=>c) > 1 ORDER BY a <=> (SELECT d <=> e) LIMIT 1')).toBe(
      'SELECT a OPERATOR("Ext".<=>) b FROM t WHERE (a OPERATOR("Ext".<=>)c) > 1 ORDER BY a OPERATOR("Ext".<=>) (SELECT d OPERATOR("Ext".<=>) e) LIMIT 1',
    );
  });

  it('are found behind letters of several bytes', async () => {
    expect(await qualified(`SELECT 'übergröße 🐘' || x FROM t WHERE x @@@ 'ä' AND y @@@ ANY (z)`)).toBe(
      `SELECT 'übergröße 🐘' || x FROM t WHERE x OPERATOR("Ext".@@@) 'ä' AND y OPERATOR("Ext".@@@) ANY (z)`,
    );
    expect(await qualified('SELECT maß<=>c, c$<=>maß FROM t')).toBe(
      'SELECT maß OPERATOR("Ext".<=>)c, c$ OPERATOR("Ext".<=>)maß FROM t',
    );
  });

  it('stay as they are when they are PostgreSQL’s own, or have a schema already', async () => {
    const query = `SELECT a OPERATOR(public.<=>) b, c - 1 FROM t WHERE c BETWEEN 1 AND 2 AND d LIKE '<=>' AND e IN (1, 2)`;
    expect(await qualified(query)).toBe(query);
  });
});

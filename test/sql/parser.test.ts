import { describe, expect, it, vi } from 'vitest';
import { parseSql } from '../../src/sql/parser.js';

describe('parseSql', () => {
  it('gives the statements of a text', async () => {
    const parsed = await parseSql('SELECT 1; SELECT 2');
    expect(parsed).toMatchObject({ ok: true, statements: [{ SelectStmt: {} }, { SelectStmt: {} }] });
    expect(await parseSql('')).toEqual({ ok: true, statements: [] });
  });

  it('says where a text is wrong, in UTF-16 units', async () => {
    expect(await parseSql("SELECT 'é' ++ FROM")).toMatchObject({ ok: false, position: 14 });
    expect(await parseSql("SELECT '😀' ++ FROM")).toMatchObject({ ok: false, position: 15 });
  });

  it('tells -1 from 0, which the library writes alike', async () => {
    const constants = async (sql: string) => {
      const parsed = await parseSql(sql);
      return [...JSON.stringify(parsed).matchAll(/"ival":\{"ival":(-?\d+)\}/gu)].map(([, value]) => Number(value));
    };
    expect(await constants('SELECT -1, 0, - 17, 5, -0, -/* é */2, 1_000, -0x1F')).toEqual([
      -1, 0, -17, 5, 0, -2, 1000, -31,
    ]);
  });

  it('outlives thousands of distinct texts', async () => {
    for (let number = 0; number < 6_000; number += 1) {
      const parsed = await parseSql(
        `CREATE INDEX index_${number} ON t USING gin (lower(a), b) WHERE a = 'value ${number}' AND b IS NOT NULL`,
      );
      if (!parsed.ok) expect.fail(`text ${number}: ${parsed.message}`);
    }
  });

  it('refuses what it cannot parse without harm, shortly, and goes on', async () => {
    const deep = await parseSql(`SELECT ${'NOT '.repeat(5_000)}a`);
    expect(deep).toMatchObject({ ok: false, message: expect.stringContaining('nested too deeply') });
    const terms = Array.from({ length: 3_000 }, (_, index) => `a${index}`);
    expect(await parseSql(`SELECT ${terms.join(' + ')}`)).toMatchObject({ ok: false });
    expect(await parseSql(`SELECT '${'x'.repeat(1_000_000)}'`)).toMatchObject({ ok: false });
    const unterminated = await parseSql(`SELECT '${'x'.repeat(500_000)}`);
    expect(unterminated.ok ? '' : unterminated.message.length).toBeLessThan(300);
    expect(await parseSql('SELECT "a\0b"')).toMatchObject({ ok: false });
    expect(await parseSql('SELECT 42')).toMatchObject({ ok: true });
  });

  it('never gives a wrong tree for nesting of any depth', async () => {
    for (let depth = 250; depth < 420; depth += 10) {
      const parsed = await parseSql(`SELECT ${'f('.repeat(depth)}1${')'.repeat(depth)}`);
      if (parsed.ok) expect(JSON.stringify(parsed).split('FuncCall').length - 1).toBe(depth);
    }
    expect(await parseSql('SELECT a, b FROM t')).toMatchObject({ ok: true });
  });

  it('prints nothing, whatever becomes of the library', async () => {
    const printed = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
    for (let depth = 300; depth < 460; depth += 20) await parseSql(`SELECT ${'g('.repeat(depth)}1${')'.repeat(depth)}`);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('answers many callers at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => parseSql(`SELECT ${index % 50}, 'at once'`)),
    );
    expect(answers.every((answer) => answer.ok)).toBe(true);
  });
});

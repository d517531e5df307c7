import { describe, expect, it } from 'vitest';
import type { NameHolder } from '../../src/catalog/fact-types.js';
import { blocked, type Change, change, deferred, key, type TenantChange } from '../../src/diff/change.js';
import { neededNames, refuseTaken } from '../../src/diff/taken-names.js';
import { identifierVariable } from '../../src/sql/template.js';

const SEQUENCE: NameHolder = { kind: 'other', what: 'a sequence' };
const indexOf = (table: string, isConstraint = false): NameHolder => ({
  kind: 'index',
  what: `an index of table ${table}`,
  table,
  isConstraint,
});

const made = (fields: Partial<Change>): TenantChange => ({
  change: change({
    phase: 'base',
    action: 'create-index',
    table: 'items',
    object: 'wanted',
    reason: 'missing',
    steps: [],
    takes: [{ name: 'wanted', of: 'index' }],
    ...fields,
  }),
  members: null,
});

/** `object status` of each change, after the names were looked up. */
const outcome = (items: readonly TenantChange[], holders: Readonly<Record<string, NameHolder>>) =>
  refuseTaken(items, new Map(Object.entries(holders)), []).map(({ change: of }) => `${of.object} ${of.status}`);

describe('a change that needs a name', () => {
  it('is as it was while the name is free', () => {
    const items = [made({})];
    expect(refuseTaken(items, new Map([['other', SEQUENCE]]), [])).toBe(items);
  });

  it('is refused, and what waits for it with it', () => {
    const provides = [key.index('items', 'wanted')];
    const later = made({ action: 'drop-index', object: 'old', takes: [], needs: provides });
    expect(outcome([made({ provides }), later], { wanted: SEQUENCE })).toEqual(['wanted blocked', 'old blocked']);
  });

  it('is put off where what has the name goes once another session’s build has ended', () => {
    const dropped = made({ action: 'drop-index', table: 'shops', object: 'wanted', takes: [], frees: ['wanted'] });
    const provides = [key.index('items', 'wanted')];
    const later = made({ action: 'drop-index', object: 'old', takes: [], needs: provides });
    const waits = {
      ...dropped,
      change: { ...deferred(dropped.change, 'session 7 is building it', 'wait'), waitsFor: 'build' as const },
    };
    const holders = new Map([['wanted', indexOf('shops')]]);
    const [wanted, ...others] = refuseTaken([made({ provides }), waits, later], holders, []);
    expect(wanted?.change).toMatchObject({
      status: 'deferred',
      waitsFor: 'build',
      obstacle: 'an index of table shops stands under its name until drop-index wanted: session 7 is building it',
      remedy: 'wait',
    });
    expect(others.map(({ change: { status, waitsFor } }) => [status, waitsFor])).toEqual([
      ['deferred', 'build'],
      ['deferred', 'build'],
    ]);
    const blockedDrop = { ...dropped, change: blocked(dropped.change, 'a key rests on it', 'mend it') };
    expect(outcome([made({}), blockedDrop], { wanted: indexOf('shops') })).toEqual([
      'wanted blocked',
      'wanted blocked',
    ]);
  });

  it('goes on where another session has made what it was to make: the next diff goes by that', () => {
    expect(outcome([made({})], { wanted: indexOf('items') })).toEqual(['wanted pending']);
    const table = made({ action: 'create-table', takes: [{ name: 'wanted', of: 'table' }] });
    expect(outcome([table], { wanted: { kind: 'table', what: 'a table' } })).toEqual(['wanted pending']);
  });

  it('goes on where the index that has it goes with a column, and not for any column that is replaced', () => {
    const column = made({ action: 'replace-column', table: 'shops', object: 'column', takes: [] });
    const going = made({ ...column.change, frees: ['wanted'] });
    expect(outcome([made({}), going], { wanted: indexOf('shops') })).toEqual(['wanted pending', 'column pending']);
    expect(outcome([made({}), column], { wanted: indexOf('shops') })).toEqual(['wanted blocked', 'column pending']);
  });

  it('meets a constraint of its own table, which a key takes the place of', () => {
    expect(outcome([made({})], { wanted: indexOf('items', true) })).toEqual(['wanted blocked']);
    const keyed = made({ action: 'replace-constraint', takes: [{ name: 'wanted', of: 'key' }] });
    expect(outcome([keyed], { wanted: indexOf('items', true) })).toEqual(['wanted pending']);
  });

  it('goes on where another change makes the name free, and is refused where that one is', () => {
    const renamed = made({
      action: 'rename-index',
      table: 'shops',
      object: 'other',
      takes: [{ name: 'other', of: 'index' }],
      frees: ['wanted'],
    });
    const taken = { wanted: indexOf('shops') };
    expect(outcome([made({}), renamed], taken)).toEqual(['wanted pending', 'other pending']);
    expect(outcome([made({}), renamed], { ...taken, other: SEQUENCE })).toEqual(['wanted blocked', 'other blocked']);
  });

  it('is refused where it waits for a name that is made free only once its own is', () => {
    const renamed = (table: string, from: string, to: string) =>
      made({ action: 'rename-index', table, object: to, takes: [{ name: to, of: 'index' }], frees: [from] });
    const circle = [renamed('items', 'b', 'a'), renamed('shops', 'c', 'b'), renamed('carts', 'a', 'c')];
    const taken = { a: indexOf('carts'), b: indexOf('items'), c: indexOf('shops') };
    expect(outcome(circle, taken)).toEqual(['a blocked', 'b blocked', 'c blocked']);
    // In a row, whose last one finds its name free, all go on, in whatever order they stand.
    expect(outcome(circle, { b: indexOf('items'), c: indexOf('shops') })).toEqual([
      'a pending',
      'b pending',
      'c pending',
    ]);
  });

  it('is refused where what has it goes only after it, by way of other changes', () => {
    const build = (table: string, name: string) =>
      made({ table, object: name, takes: [{ name, of: 'index' }], provides: [key.built('base', table)] });
    const drop = (table: string, name: string) =>
      made({
        action: 'drop-index',
        ...{ table, object: `old ${name}`, takes: [], frees: [name], needs: [key.built('base', table)] },
      });
    const taken = { a: indexOf('shops'), b: indexOf('items') };
    const circle = [build('items', 'a'), drop('items', 'b'), build('shops', 'b'), drop('shops', 'a')];
    expect(outcome(circle, taken)).toEqual(['a blocked', 'old b blocked', 'b blocked', 'old a blocked']);
    const [, ...row] = circle;
    expect(outcome([...row, build('items', 'a')].slice(1), { a: indexOf('shops') })).toEqual([
      'b pending',
      'old a pending',
      'a pending',
    ]);
  });

  it('need not wait for what it makes free itself', () => {
    expect(outcome([made({ frees: ['wanted'] })], { wanted: indexOf('items', true) })).toEqual(['wanted pending']);
  });

  it('needs none while it is refused or deferred', () => {
    expect(neededNames([made({ status: 'blocked' }), made({ status: 'deferred' })])).toEqual([]);
    expect(neededNames([made({})])).toEqual([{ name: 'wanted', asTable: false }]);
  });
});

it('of a family’s change the members are refused whose names are taken, and those are not said', () => {
  const family = made({
    family: 'members',
    object: 'members',
    takes: [{ name: identifierVariable('index'), of: 'index' }],
  });
  const item = { ...family, members: [{ index: 'one' }, { index: 'two' }, { index: 'three' }] };
  expect(neededNames([item]).map(({ name }) => name)).toEqual(['one', 'two', 'three']);
  const [rest, refused, ...more] = refuseTaken([item], new Map([['two', SEQUENCE]]), []);
  expect(more).toEqual([]);
  expect(rest).toEqual({ ...item, members: [{ index: 'one' }, { index: 'three' }] });
  expect(refused).toMatchObject({
    change: { status: 'blocked', obstacle: 'a sequence stands under its name' },
    members: [{ index: 'two' }],
  });
});

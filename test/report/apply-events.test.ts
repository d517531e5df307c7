import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { type ApplyEvent, EVENT_KINDS } from '../../src/apply/events.js';
import { summariseOutcomes, type TenantFailure } from '../../src/apply/outcome.js';
import { eventDocument } from '../../src/report/apply-events.js';
import { MemberNames } from '../../src/report/member-names.js';
import { eventSchema } from '../../src/report/schemas.js';
import { addColumn, desiredState, ended, member, missingMembers } from '../support/plan-fixture.js';

const AT = new Date('2030-01-02T03:04:05.678Z');
const hide = new MemberNames([desiredState()]);
const of = { database: 'main', schema: 't1' } as const;

const failure: TenantFailure = {
  code: 'TENANT_LOCKED',
  message: 'process 7 holds "items_body_n_acme corp" (Key (name)=(acme corp) already exists.)',
  sqlstate: '55P03',
  remedy: 'wait for it',
};

/** One of each kind, and of each form of a kind. */
const EVENTS: readonly ApplyEvent[] = [
  { kind: 'run-started', database: 'main', tenants: 9, pending: 3 },
  { kind: 'batch-started', database: 'main', tenants: 3 },
  { kind: 'tenant-started', ...of, changes: 2 },
  { kind: 'change-finished', ...of, change: addColumn('kind'), result: 'applied' },
  { kind: 'change-finished', ...of, change: missingMembers(member('acme corp')).change, result: 'in-doubt' },
  { kind: 'retry', ...of, failure, delay: 250 },
  { kind: 'tenant-waiting', ...of, message: 'the build of "items_body_u_acme corp" is held up by process 7' },
  {
    kind: 'build-progress',
    ...of,
    index: 'items_body_u_acme corp',
    phase: 'building index: scanning table',
    done: 5,
    total: 10,
    unit: 'blocks',
  },
  { kind: 'build-yielded', ...of, index: 'items_body_u_acme corp', pid: 7, waited: 5003.5 },
  { kind: 'backfill-progress', ...of, table: 'items', column: 'token', rows: 6000, done: 27, total: 4100 },
  { kind: 'draining', reason: 'SIGTERM' },
  { kind: 'tenant-finished', ...of, outcome: 'failed', failure },
  { kind: 'tenant-finished', ...of, outcome: 'converged', failure: null },
  { kind: 'run-finished', database: 'main', outcomes: { ...summariseOutcomes([ended('t1', 'failed')]) } },
];

/** Every definition of an event closed: what a line holds beyond it is missing from the schema. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)] as const);
  const open = !('properties' in schema) || 'oneOf' in schema;
  return { ...Object.fromEntries(entries), ...(open ? {} : { additionalProperties: false }) };
}

describe('an event as a line of JSON', () => {
  it('is what the published schema describes, every kind of it, with values and without', () => {
    expect([...new Set(EVENTS.map(({ kind }) => kind))]).toEqual(EVENT_KINDS);
    const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
      closed(eventSchema) as object,
    );
    for (const event of EVENTS)
      for (const hidden of [hide, null]) {
        const document: unknown = JSON.parse(JSON.stringify(eventDocument(event, AT, { hide: hidden })));
        validate(document);
        expect([event.kind, validate.errors]).toEqual([event.kind, null]);
      }
    expect(validate({ ...eventDocument(EVENTS[0] as ApplyEvent, AT, { hide }), kind: 'unheard-of' })).toBe(false);
  });

  it('says when it was told, and of what', () => {
    expect(eventDocument(EVENTS[0] as ApplyEvent, AT, { hide })).toEqual({
      formatVersion: '1.0',
      time: '2030-01-02T03:04:05.678Z',
      database: 'main',
      kind: 'run-started',
      tenants: 9,
      pending: 3,
    });
    expect(eventDocument({ kind: 'draining', reason: 'deadline' }, AT, { hide }).database).toBe(null);
  });

  it('holds values of rows only when they are asked for, neither in names nor in messages (S2)', () => {
    for (const event of EVENTS) expect(JSON.stringify(eventDocument(event, AT, { hide }))).not.toContain('acme');
    const shown = EVENTS.map((event) => JSON.stringify(eventDocument(event, AT, { hide: null })));
    expect(shown.filter((line) => line.includes('acme corp')).length).toBe(5);
    expect(eventDocument(EVENTS[7] as ApplyEvent, AT, { hide })).toMatchObject({ index: 'items_body_u_…' });
    expect(eventDocument(EVENTS[6] as ApplyEvent, AT, { hide })).toMatchObject({
      message: 'the build of "items_body_u_…" is held up by process 7',
    });
  });
});

describe('names of members', () => {
  it('keep what comes from the files, and other indexes keep theirs', () => {
    expect(hide.name('items_body_n_acme')).toBe('items_body_n_…');
    expect(hide.name('items_body')).toBe('items_body');
    expect(hide.name('items_body_x_acme')).toBe('items_body_x_acme');
    expect(hide.name('items_body_n_a"b\nc')).toBe('items_body_n_…');
    expect(hide.message('index "items_body_n_a""b c" of items_body is INVALID')).toBe(
      'index "items_body_n_…" of items_body is INVALID',
    );
    expect(hide.message('DROP INDEX CONCURRENTLY t.items_body_u_acme;')).toBe(
      'DROP INDEX CONCURRENTLY t.items_body_u_…;',
    );
  });
});

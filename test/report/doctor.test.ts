import { Ajv } from 'ajv';
import { Ansis } from 'ansis';
import { describe, expect, it } from 'vitest';
import { doctorExitCode } from '../../src/cli/outcome-exit-codes.js';
import type { Examination, ExaminedDatabase } from '../../src/doctor/examination.js';
import { CHECKS, type Finding, finding, notLooked, SEVERITIES } from '../../src/doctor/finding.js';
import { doctorDocument } from '../../src/report/doctor-json.js';
import { doctorText } from '../../src/report/doctor-text.js';
import { doctorSchema } from '../../src/report/schemas.js';

const database: ExaminedDatabase = {
  id: 'main',
  host: 'db.example',
  port: 5432,
  name: 'app',
  serverVersion: '17.2',
  role: 'deploy',
  source: '--database-url',
  tenants: 12,
  findings: [
    finding('server', 'ok', { what: 'PostgreSQL 17.2, which takes writes' }),
    finding('privileges', 'problem', {
      what: 'role deploy may not use the schema of 12 tenants',
      why: 'which indexes such a tenant must have cannot be told: plan reports it as unreadable',
      remedy: 'grant USAGE on those schemas and SELECT on their tables, or once for all of them:',
      statements: ['GRANT pg_read_all_data TO deploy'],
      subjects: ['a', 'b', 'c', 'd', 'e\u001b[2J', 'f'],
      count: 12,
    }),
    finding('extensions', 'warning', { what: 'x lives in the tenant schema "t"', subjects: ['t'] }),
    notLooked('replication-slots', 'permission denied for view pg_replication_slots (SQLSTATE 42501)'),
    finding('wraparound', 'ok', { what: 'the oldest row that is not frozen is 8 transactions old' }),
  ],
};
const seen: Examination = { createdAt: new Date(0), databases: [database], failedDatabases: [] };
const well: Examination = {
  ...seen,
  databases: [{ ...database, findings: database.findings.filter(({ severity }) => severity !== 'problem') }],
};
const failed = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: 'look' } as const;

const text = (of: Examination, width: number, verbose = false) =>
  doctorText(of, { color: new Ansis(0), width, verbose });

/** The schema with every object closed: what a document holds beyond it is missing from the schema. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)] as const);
  return { ...Object.fromEntries(entries), ...('properties' in schema ? { additionalProperties: false } : {}) };
}

describe('doctor as text', () => {
  it.each([80, 120])('is read from the worst to what is well, at %i columns', (width) => {
    expect(text(seen, width)).toMatchSnapshot();
  });

  it.each([
    ['role deploy may not use the schema of 1 tenant', 'te', true],
    ['x lives in the tenant schema "te"', 'te', false],
    ['role deploy may not use some schemas (1 tenant)', 'te', true],
    ['the busiest table, te.notes, has 319 indexes', 'te.notes', false],
  ])('%s: lists %s, unless the sentence names it: %s', (what, subject, listed) => {
    const findings = [finding('privileges', 'problem', { what, subjects: [subject] })];
    expect(text({ ...seen, databases: [{ ...database, findings }] }, 120).includes(`- ${subject}`)).toBe(listed);
  });

  it('says how many it does not list, where there are any', () => {
    const listing = (count: number) =>
      text(
        {
          ...seen,
          databases: [
            { ...database, findings: [finding('tenants', 'note', { what: 'w', subjects: ['a', 'b'], count })] },
          ],
        },
        80,
      );
    expect(listing(3)).toContain('- b\n      - … and 1 more\n');
    expect(listing(2)).toContain('- b\n\nDoctor: ');
  });

  it('leaves a statement whole, however narrow the terminal', () => {
    expect(text(seen, 30)).toContain('        GRANT pg_read_all_data TO deploy;');
  });

  it('says of each check that is well what it saw, when it is asked to', () => {
    expect(text(seen, 80)).toContain('Well: server, wraparound.');
    expect(text(seen, 80, true)).toContain('  + wraparound  the oldest row that is not frozen is 8 transactions old');
  });

  it('does not call a check well that found something too', () => {
    const findings = [
      finding('privileges', 'warning', { what: 'one thing is missing' }),
      finding('privileges', 'ok', { what: 'another is there' }),
    ];
    const half = (more: readonly Finding[], verbose = false) =>
      text({ ...seen, databases: [{ ...database, findings: [...findings, ...more] }] }, 80, verbose);
    expect(half([finding('server', 'ok', { what: 'takes writes' })])).toContain('\n\nWell: server.\n\n');
    expect(half([])).not.toContain('Well');
    expect(half([], true)).toContain('  + privileges  another is there');
  });

  it('names the databases where there are several, and those that could not be looked at', () => {
    const several = text({ ...seen, failedDatabases: [failed] }, 100);
    expect(several).toMatch(/^Target main: /u);
    expect(several).toContain('Database us was not looked at: refused (CONNECTION_FAILED)');
    expect(several).toMatch(/\nDoctor: 1 problem, 1 warning, 1 note, 1 database not looked at, 2 well\.$/u);
  });
});

describe('doctor as JSON', () => {
  it('is what the published schema describes', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'date-time': true } });
    const validate = ajv.compile(closed(doctorSchema) as object);
    validate(JSON.parse(JSON.stringify(doctorDocument({ ...seen, failedDatabases: [failed] }))));
    expect(validate.errors).toBeNull();
    expect(doctorDocument(seen)).toMatchObject({
      summary: { problems: 1, warnings: 1, notes: 1, ok: 2, notLooked: 1 },
      findings: [{ database: 'main', check: 'server', severity: 'ok' }, {}, {}, { looked: false }, {}],
    });
  });

  it('has its lists closed in the schema', () => {
    const { finding: of } = doctorSchema.definitions as Record<
      string,
      { properties: Record<string, { enum: string[] }> }
    >;
    expect(of?.properties.check?.enum).toEqual(CHECKS);
    expect(of?.properties.severity?.enum).toEqual(SEVERITIES);
  });
});

describe('the exit code of doctor', () => {
  it('is 2 for a problem, 1 for a database that could not be looked at, else 0', () => {
    expect(doctorExitCode(seen)).toBe(2);
    expect(doctorExitCode(well)).toBe(0);
    expect(doctorExitCode({ ...seen, failedDatabases: [failed] })).toBe(1);
  });
});

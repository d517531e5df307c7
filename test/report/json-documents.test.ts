import { describe, expect, it } from 'vitest';
import { EVENT_KINDS } from '../../src/apply/events.js';
import { OUTCOMES } from '../../src/apply/outcome.js';
import { STOP_REASONS } from '../../src/apply/run-control.js';
import { errorDocument } from '../../src/cli/report-error.js';
import { ACTIONS, HAZARDS, STATUSES } from '../../src/diff/change.js';
import { LOCK_MODES } from '../../src/diff/lock-mode.js';
import { FORMAT_VERSION } from '../../src/format-version.js';
import { DIAGNOSTIC_CODES } from '../../src/plan/fleet-plan.js';
import planFileSchema from '../../src/plan/schema/plan-file.schema.json' with { type: 'json' };
import { applyDocument } from '../../src/report/apply-json.js';
import { TRUEUP_VERSION } from '../../src/report/document-version.js';
import { planDocument } from '../../src/report/plan-json.js';
import applySchema from '../../src/report/schema/apply.schema.json' with { type: 'json' };
import errorSchema from '../../src/report/schema/error.schema.json' with { type: 'json' };
import eventSchema from '../../src/report/schema/event.schema.json' with { type: 'json' };
import planSchema from '../../src/report/schema/plan.schema.json' with { type: 'json' };
import { ERROR_CODES, TrueupError } from '../../src/trueup-error.js';
import { problems } from '../support/closed-schema.js';
import {
  backfill,
  dropIndex,
  ended,
  fleetOutcome,
  fleetPlan,
  member,
  missingMembers,
  phase,
  refusedRebuild,
  tenant,
  tenants,
  waitingIndex,
} from '../support/plan-fixture.js';

const plan = fleetPlan({
  tenants: [
    tenant('s'),
    ...tenants(2, missingMembers(member('acme'), member('acme', 'u')), backfill('kind')),
    tenant('b', refusedRebuild, waitingIndex, dropIndex('items_body')),
  ],
  databaseChanges: [dropIndex('x')],
  unreadable: [{ database: 'main', schema: 'u', code: 'TENANT_UNREADABLE', message: 'permission denied' }],
  diagnostics: [
    { severity: 'warning', code: 'LOOKS_LIKE_A_TENANT', message: 'x', remedy: null, database: 'main', schema: 'd' },
    { severity: 'note', code: 'PHASES_SKIPPED', message: 'x', remedy: null, database: 'main', schema: null },
  ],
});

const failed = ended('t2', 'failed', {
  changes: [{ item: missingMembers(member('acme')), result: 'in-doubt' }],
  error: {
    code: 'TENANT_FAILED',
    message: 'could not create unique index "x" (Key (name)=(o\'brien (jr)) is duplicated.)',
    sqlstate: '23505',
    remedy: 'mend the rows',
  },
});
const outcome = fleetOutcome(
  [
    ended('s', 'in-sync'),
    failed,
    ended('b', 'blocked', { changes: [{ item: { change: refusedRebuild, members: null }, result: 'not-applied' }] }),
  ],
  { databaseChanges: [{ change: dropIndex('x'), result: 'applied' }] },
);

describe('the JSON of a plan', () => {
  it('is what the published schema describes, with values and without', () => {
    expect(problems(planSchema, planDocument(plan, { showValues: false }))).toEqual([]);
    expect(problems(planSchema, planDocument(plan, { showValues: true }))).toEqual([]);
    expect(problems(planSchema, planDocument(fleetPlan({}), { showValues: false }))).toEqual([]);
  });

  it('says which part of the fleet it is about', () => {
    const shard = { index: 2, count: 8 };
    const document = planDocument(fleetPlan({ shard }), { showValues: false });
    expect(document.selection).toEqual({ shard });
    expect(problems(planSchema, document)).toEqual([]);
    expect(planDocument(plan, { showValues: false }).selection).toEqual({ shard: null });
  });

  it('says of a tenant that could not be read what to do', () => {
    expect(planDocument(plan, { showValues: false }).unreadable).toEqual([
      {
        database: 'main',
        schema: 'u',
        code: 'TENANT_UNREADABLE',
        message: 'permission denied',
        remedy: 'let the role read the tenant’s tables (row security included), then run again',
      },
    ]);
  });

  it('shows a family’s members as one change with template statements', () => {
    const document = planDocument(plan, { showValues: false });
    expect(document.driftClasses[0]).toMatchObject({
      tenantCount: 2,
      tenants: [
        { database: 'main', schema: 't1' },
        { database: 'main', schema: 't2' },
      ],
    });
    expect(document.driftClasses[0]?.changes[0]).toEqual({
      phase: 'search',
      action: 'create-index',
      table: 'items',
      object: 'items_body_${kind.code}_${shop.short}',
      family: 'items_body_${kind.code}_${shop.short}',
      memberCount: 4,
      status: 'pending',
      reason: 'missing',
      hazards: ['INDEX_BUILD'],
      lock: 'SHARE UPDATE EXCLUSIVE',
      statements: [
        'CREATE INDEX CONCURRENTLY :"index" ON :"schema".items USING gin (body) WHERE kind = :\'kind.value\' AND shop = :\'shop.id\'',
      ],
    });
  });

  it('holds values of rows only when they are asked for (S2)', () => {
    expect(JSON.stringify(planDocument(plan, { showValues: false }))).not.toContain('acme');
    expect(planDocument(plan, { showValues: true }).driftClasses[0]?.members?.[1]).toEqual({
      database: 'main',
      schema: 't2',
      change: 0,
      values: [member('acme'), member('acme', 'u')],
    });
  });

  it('says which phases were compared, with which values, and leaves the news of skipping to that (G4)', () => {
    const phases = [phase('base'), phase('vector', { selected: false })];
    const document = planDocument(fleetPlan({ tenants: [tenant('s')] }, { phases }), { showValues: false });
    expect(document.desiredState).toMatchObject({ phases: ['base'], skippedPhases: ['vector'], backends: {} });
    const { desiredState, diagnostics } = planDocument(plan, { showValues: false });
    expect(desiredState.backends).toEqual({ search: { value: 'plain', source: 'default', resolved: 'plain' } });
    expect(desiredState.parameters).toEqual({ width: { value: 8, source: 'default' } });
    expect(diagnostics.map(({ code }) => code)).toEqual(['LOOKS_LIKE_A_TENANT']);
  });
});

describe('the JSON of an apply', () => {
  it('is what the published schema describes, with values and without', () => {
    expect(problems(applySchema, applyDocument(outcome, { showValues: false }))).toEqual([]);
    expect(problems(applySchema, applyDocument(outcome, { showValues: true }))).toEqual([]);
    expect(
      problems(
        applySchema,
        applyDocument(fleetOutcome([], { ended: 'SIGTERM', interrupted: 'SIGTERM' }), { showValues: false }),
      ),
    ).toEqual([]);
  });

  it('leaves out tenants that were in sync', () => {
    const { tenants: shown, summary } = applyDocument(outcome, { showValues: false });
    expect(shown.map(({ schema, outcome: how }) => [schema, how])).toEqual([
      ['t2', 'failed'],
      ['b', 'blocked'],
    ]);
    expect(summary).toMatchObject({ tenants: 3, inSync: 1, failed: 1, blocked: 1 });
  });

  it('counts changes, says why it ended, and what to run when something is left', () => {
    const options = { showValues: false, retry: 'trueup apply --yes' };
    expect(applyDocument(outcome, options)).toMatchObject({
      ended: null,
      changes: { applied: 0, notApplied: 1, inDoubt: 1 },
      retryCommand: 'trueup apply --yes',
    });
    const early = fleetOutcome([ended('c', 'converged')], { ended: 'deadline' });
    expect(applyDocument(early, options)).toMatchObject({ ended: 'deadline', retryCommand: null });
    const once = fleetOutcome([], { databaseChanges: [{ change: dropIndex('x'), result: 'not-applied' }] });
    expect(applyDocument(once, options).retryCommand).toBe('trueup apply --yes');
  });

  it('hides the values that an error of the server quotes (S2)', () => {
    const [first] = applyDocument(outcome, { showValues: false }).tenants;
    expect(first?.error?.message).toBe('could not create unique index "x" (Key (name)=(…) is duplicated.)');
    expect(JSON.stringify(first)).not.toMatch(/brien|acme/u);
    expect(JSON.stringify(applyDocument(outcome, { showValues: true }).tenants[0])).toMatch(
      /brien[\s\S]*acme|acme[\s\S]*brien/u,
    );
  });
});

describe('the published schemas', () => {
  it('list what the code lists', () => {
    const { definitions } = planSchema;
    expect(definitions.action.enum).toEqual(ACTIONS);
    expect(planFileSchema.definitions.change.properties.action.enum).toEqual(ACTIONS);
    expect(definitions.status.enum).toEqual(STATUSES);
    expect(definitions.hazard.enum).toEqual(HAZARDS);
    expect(definitions.lockMode.enum).toEqual(LOCK_MODES);
    expect(definitions.diagnostic.properties.code.enum).toEqual(DIAGNOSTIC_CODES);
    expect(applySchema.definitions.outcome.enum).toEqual(OUTCOMES);
    expect(applySchema.properties.ended.enum).toEqual([...STOP_REASONS, null]);
    expect(eventSchema.properties.kind.enum).toEqual(EVENT_KINDS);
    expect(eventSchema.oneOf).toEqual(EVENT_KINDS.map((kind) => ({ $ref: `#/definitions/${kind}` })));
    expect(eventSchema.definitions.draining.properties.reason.enum).toEqual(STOP_REASONS);
    for (const { definitions: own } of [planSchema, applySchema, errorSchema, eventSchema])
      expect(own.errorCode.enum).toEqual(ERROR_CODES);
  });

  it('agree with each other', () => {
    const { action, status, hazard, lockMode, database } = applySchema.definitions;
    expect(planSchema.definitions).toMatchObject({ action, status, hazard, lockMode, database });
    const { result, outcome: ends, summary, failure } = applySchema.definitions;
    expect(eventSchema.definitions).toMatchObject({ action, result, outcome: ends, summary, failure });
  });

  it('describe the document of an error', () => {
    const other = new TrueupError('UNKNOWN_BACKEND', 'no backend x', { where: 'fleet.yaml:1:1' });
    const error = new TrueupError('DESIRED_STATE_INVALID', 'unknown key', { remedy: 'remove it', others: [other] });
    expect(problems(errorSchema, errorDocument(error))).toEqual([]);
  });

  it('are of the version that the documents carry', () => {
    expect(planSchema.properties.formatVersion.const).toBe(FORMAT_VERSION);
    expect(TRUEUP_VERSION).toMatch(/^\d+\.\d+\.\d+/u);
  });
});

import { Ansis } from 'ansis';
import { describe, expect, it } from 'vitest';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import type { TenantFailure } from '../../src/apply/outcome.js';
import { type ApplyTextOptions, applyText } from '../../src/report/apply-text.js';
import { addColumn, desiredState, ended, fleetOutcome, refusedRebuild } from '../support/plan-fixture.js';

const text = (result: FleetOutcome, options: Partial<ApplyTextOptions> = {}): string =>
  applyText(result, {
    verbose: false,
    showValues: false,
    color: new Ansis(0),
    width: 100,
    phases: desiredState().phases,
    ...options,
  });

const locked = (schema: string): TenantFailure => ({
  code: 'TENANT_LOCKED',
  message: `another run of trueup is working on schema "${schema}"`,
  sqlstate: null,
  remedy: 'wait for it, then run again',
});

describe('an apply as text', () => {
  it('shows those that need a hand first, same causes together, and the sum last (R1)', () => {
    const result = fleetOutcome([
      ended('s', 'in-sync'),
      ended('c', 'converged'),
      ended('f1', 'failed', { error: locked('f1') }),
      ended('f2', 'failed', { error: locked('f2') }),
      ended('f3', 'failed', {
        error: { code: 'TENANT_FAILED', message: 'column "x" contains null values', sqlstate: '23502', remedy: null },
      }),
      ended('b', 'blocked', {
        changes: [{ item: { change: refusedRebuild, members: null }, result: 'not-applied' }],
      }),
    ]);
    expect(text(result)).toMatchInlineSnapshot(`
      "2 tenants failed: (f1, f2)
          another run of trueup is working on schema "f1" (TENANT_LOCKED)
          do: wait for it, then run again
      1 tenant failed: (f3)
          column "x" contains null values (TENANT_FAILED, SQLSTATE 23502)

      1 tenant blocked, nothing changed: (b)
          rebuild-index items.items_title: items holds rows, and replacing its indexes takes time and load
          do: approve it with --allow rebuild-index

      Apply: 1 tenant converged, 3 failed, 1 blocked, 1 in sync.
      Run the same command again for what is left: what is done stays done."
    `);
  });

  it('says that a fleet has converged', () => {
    expect(text(fleetOutcome([ended('s', 'in-sync'), ended('c', 'converged')]))).toBe(
      'Apply: 1 tenant converged, 1 in sync.',
    );
  });

  it('says what is in doubt after a lost connection, and that the run was interrupted (R11)', () => {
    const lost = ended('t\u001b', 'failed', {
      changes: [{ item: { change: addColumn('kind'), members: null }, result: 'in-doubt' }],
      error: { code: 'CONNECTION_FAILED', message: 'connection lost', sqlstate: '08006', remedy: null },
    });
    const shown = text(fleetOutcome([lost, ended('n', 'not-attempted')], { interrupted: 'SIGINT' }), { width: 200 });
    expect(shown).toContain('In doubt: add-column kind of t\\x1b: the connection was lost while it ran');
    expect(shown).toContain(
      'Interrupted by SIGINT.\nApply: 0 tenants converged, 1 failed, 1 not attempted, 0 in sync.',
    );
    expect(shown).toContain('Run the same command again');
  });
});

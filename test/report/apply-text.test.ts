import { Ansis } from 'ansis';
import { describe, expect, it } from 'vitest';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import type { TenantFailure } from '../../src/apply/outcome.js';
import type { Change } from '../../src/diff/change.js';
import { type ApplyTextOptions, applyText } from '../../src/report/apply-text.js';
import {
  addColumn,
  databasePlan,
  desiredState,
  ended,
  fleetOutcome,
  member,
  missingMembers,
  refusedRebuild,
} from '../support/plan-fixture.js';

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
      Changes: 0 applied, 1 not applied.
      Run the same command again for what is left: what is done stays done."
    `);
  });

  it.each([
    ['f 1', (schema: string) => `type "${schema}.state" does not exist`],
    ['f1', (schema: string) => `invalid input value for enum ${schema}.state: "…"`],
  ])('shows tenants together that lack the same thing of their own, as the server names it (%s)', (one, message) => {
    const lacks = (schema: string): { readonly error: TenantFailure } => ({
      error: {
        code: 'TENANT_FAILED',
        message: message(schema),
        sqlstate: '42704',
        remedy: null,
      },
    });
    const result = fleetOutcome([ended(one, 'failed', lacks(one)), ended('f2', 'failed', lacks('f2'))]);
    expect(text(result)).toContain(`2 tenants failed: (${one}, f2)\n    ${message(one)}`);
  });

  it.each([80, 120])('breaks its lines at %i columns, and names stay whole', (width) => {
    const names = Array.from({ length: 9 }, (_, at) => `tenant_with_a_rather_long_name_${at}`);
    const long =
      'canceling statement due to lock timeout: held by process 4711 of application "worker", active for 12 min';
    const result = fleetOutcome([
      ...names.map((schema) =>
        ended(schema, 'failed', {
          error: {
            code: 'TENANT_FAILED',
            message: long,
            sqlstate: '55P03',
            remedy: 'run again, or end that transaction',
          },
        }),
      ),
      ended('b', 'blocked', { changes: [{ item: { change: refusedRebuild, members: null }, result: 'not-applied' }] }),
    ]);
    const shown = text(result, { width, verbose: true });
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    for (const name of names) expect(shown).toContain(name);
    expect(shown).toMatchSnapshot();
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
    const shown = text(fleetOutcome([lost, ended('n', 'not-attempted')], { ended: 'SIGINT', interrupted: 'SIGINT' }), {
      width: 200,
    });
    expect(shown).toContain('In doubt: add-column items.kind of t\\x1b: the connection was lost while it ran');
    expect(shown).toContain(
      'Interrupted by SIGINT.\nApply: 0 tenants converged, 1 failed, 1 not attempted, 0 in sync.',
    );
    expect(shown).toContain('Run the same command again');
  });

  it.each([
    ['SIGTERM', 'Interrupted by SIGTERM.'],
    ['deadline', 'Ended early: the time that --deadline names had come, or was no further off than --drain-timeout.'],
    ['max-failures', 'Ended early: as many tenants have failed as --max-failures names.'],
    ['canary', 'Ended early: a canary failed, so no other tenant was begun.'],
    ['connection', 'Ended early: the server could not be reached any more.'],
  ] as const)('says why it ended early: %s (R12, R17)', (ended_, words) => {
    const shown = text(fleetOutcome([ended('c', 'converged'), ended('n', 'not-attempted')], { ended: ended_ }));
    expect(shown).toBe(
      [
        '1 tenant not attempted: (n)',
        '',
        words,
        'Apply: 1 tenant converged, 1 not attempted, 0 in sync.',
        'Run the same command again for what is left: what is done stays done.',
      ].join('\n'),
    );
  });

  it('ends with the command to run again, unbroken, when something is left over', () => {
    const retry = { line: `trueup apply --schema 'a b' ${'--allow rebuild-index '.repeat(6)}--yes`, note: 'A note.' };
    const shown = text(fleetOutcome([ended('n', 'stale')]), { retry });
    expect(shown.split('\n').slice(-3)).toEqual([
      'Run again for what is left; what is done stays done:',
      `  ${retry.line}`,
      'A note.',
    ]);
    expect(text(fleetOutcome([ended('c', 'converged'), ended('b', 'blocked')]), { retry })).not.toContain('trueup');
  });

  it('shows with --verbose what became of every change', () => {
    const changes = [
      { item: { change: addColumn('kind'), members: null }, result: 'applied' },
      { item: missingMembers(member('acme'), member('acme', 'u')), result: 'in-doubt' },
      { item: { change: refusedRebuild, members: null }, result: 'not-applied' },
    ] as const;
    const result = fleetOutcome([ended('p', 'partial', { changes })]);
    expect(text(result, { verbose: true, width: 200 })).toContain(
      [
        'p:',
        '    applied: add-column items.kind',
        '    in doubt: create-index items.items_body_${kind.code}_${shop.short} (2 members)',
        '    not applied, blocked: rebuild-index items.items_title',
      ].join('\n'),
    );
    expect(text(result)).toContain('Changes: 1 applied, 1 not applied, 1 in doubt.');
    expect(text(result)).not.toContain('applied: add-column');
  });

  it('names a table once, and what belongs to none by its own name', () => {
    const made = (table: string, object: string, fields: Partial<Change> = {}) => ({
      item: { change: addColumn(object, { action: 'create-table', table, ...fields }), members: null },
      result: 'not-applied' as const,
    });
    const held = { status: 'blocked', obstacle: 'no', remedy: null } as const;
    const changes = [made('', 'schema'), made('items', 'items', held), made('items', 'kind', held)];
    const shown = text(fleetOutcome([ended('p', 'blocked', { changes })]), { verbose: true });
    for (const line of ['create-table schema', 'create-table items', 'create-table items.kind'])
      expect(shown).toMatch(new RegExp(`not applied.*: ${line}$`, 'mu'));
    expect(shown).toContain('    create-table items: no\n    create-table items.kind: no\n');
  });

  it('says of each blocked change what to do, where another needs the same', () => {
    const changes = ['a', 'b'].map((object) => ({
      item: {
        change: { ...refusedRebuild, object, obstacle: `${object} is large`, remedy: 'allow it' },
        members: null,
      },
      result: 'not-applied' as const,
    }));
    expect(text(fleetOutcome([ended('t', 'blocked', { changes })]))).toContain(
      [
        '    rebuild-index items.a: a is large',
        '    do: allow it',
        '    rebuild-index items.b: b is large',
        '    do: allow it',
      ].join('\n'),
    );
  });

  it('shows many blocked changes that read alike as one line, and each by itself with --verbose', () => {
    const refused = (object: string) => ({
      item: { change: { ...refusedRebuild, object }, members: null },
      result: 'not-applied' as const,
    });
    const changes = Array.from({ length: 1_000 }, (_, at) => refused(`i${at}`));
    const result = fleetOutcome([
      ended('a', 'blocked', { changes }),
      // Differs in a name that the line does not show.
      ended('b', 'blocked', { changes: [...changes.slice(0, 999), refused('other')] }),
    ]);
    const lines = [
      '    rebuild-index items.i0, i1, i2 and 997 more: items holds rows, and replacing its indexes takes time and load',
      '    do: approve it with --allow rebuild-index',
    ];
    expect(text(result, { width: 120 }).split('\n').slice(0, 6)).toEqual([
      '1 tenant blocked, nothing changed: (a)',
      ...lines,
      '1 tenant blocked, nothing changed: (b)',
      ...lines,
    ]);
    expect(text(result, { verbose: true })).toContain('    rebuild-index items.other: items holds rows');
  });

  it('hides what messages quote of rows, and what names of members hold of them (S2)', () => {
    const error: TenantFailure = {
      code: 'TENANT_FAILED',
      message: 'could not create index "items_body_n_acme": Key (name)=(acme) is duplicated, by items_body_u_acme',
      sqlstate: '23505',
      remedy: null,
    };
    const result = fleetOutcome([ended('f', 'failed', { error })]);
    expect(text(result)).not.toContain('acme');
    expect(text(result)).toContain('"items_body_n_…"');
    expect(text(result, { showValues: true })).toContain('items_body_u_acme');
  });

  it('says to the end that a database was left out', () => {
    const failed = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: 'start it' } as const;
    expect(text(fleetOutcome([ended('c', 'converged')], { failedDatabases: [failed] }))).toBe(
      'Database us was left out: refused (CONNECTION_FAILED)\n  do: start it\n\nApply: 1 tenant converged, 1 database left out, 0 in sync.',
    );
  });

  describe('in colour', () => {
    const FAILED = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: null } as const;
    const colored = (result: FleetOutcome) => text(result, { color: new Ansis(1) });
    const fine = ended('c', 'converged');

    it.each([
      ['nothing is left', fleetOutcome([fine]), true],
      ['a tenant failed', fleetOutcome([fine, ended('f', 'failed')]), false],
      ['a tenant is blocked', fleetOutcome([fine, ended('b', 'blocked')]), false],
      ['it ended early', fleetOutcome([fine], { ended: 'deadline' }), false],
      ['a database was left out', fleetOutcome([fine], { failedDatabases: [FAILED] }), false],
    ])('the last line is green only where nothing is left: %s', (_, result, green) => {
      expect(colored(result).includes('\u001b[32mApply: ')).toBe(green);
      expect(colored(result).includes('\u001b[1mApply: ')).toBe(!green);
    });

    it('what failed is red, what is left otherwise yellow', () => {
      const shown = colored(fleetOutcome([ended('f', 'failed'), ended('n', 'not-attempted')]));
      expect(shown).toContain('\u001b[31m1 tenant failed');
      expect(shown).toContain('\u001b[33m1 tenant not attempted');
    });
  });

  it('leaves nothing over where all changes of a database were made', () => {
    const databaseChanges = [{ change: addColumn('a'), result: 'applied' }] as const;
    expect(text(fleetOutcome([ended('c', 'converged')], { databaseChanges }))).not.toContain('again');
  });

  it('counts the changes of a database that were made, and no others', () => {
    const databaseChanges = [
      { change: addColumn('a'), result: 'applied' },
      { change: addColumn('b'), result: 'not-applied' },
      { change: addColumn('c'), result: 'not-applied' },
    ] as const;
    expect(text(fleetOutcome([ended('c', 'converged')], { databaseChanges }))).toContain(
      'Apply: 1 change made once, 1 tenant converged, 0 in sync.',
    );
  });

  it.each([
    [6, '(t0, t1, t2, t3, t4, t5)'],
    [7, '(t0, t1, t2, t3, t4 and 2 more)'],
  ])('leaves out names where that is shorter than the name: of %i', (count, names) => {
    const all = Array.from({ length: count }, (_, at) => ended(`t${at}`, 'vanished'));
    expect(text(fleetOutcome(all))).toContain(names);
  });

  it('says which shard it was', () => {
    const shard = { index: 2, count: 8 };
    const result = fleetOutcome([ended('c', 'converged')], { databases: [databasePlan({ shard })] });
    expect(text(result)).toBe('Apply: shard 2/8: 1 tenant converged, 0 in sync.');
  });
});

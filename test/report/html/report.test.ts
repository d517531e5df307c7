import { describe, expect, it } from 'vitest';
import type { FleetOutcome } from '../../../src/apply/fleet-outcome.js';
import type { Change } from '../../../src/diff/change.js';
import type { FleetPlan } from '../../../src/plan/fleet-plan.js';
import { assemble } from '../../../src/plan/plan-fleet.js';
import { htmlReport, type ReportedRun } from '../../../src/report/html/report.js';
import { REPORT_SIGNATURE } from '../../../src/report/html/signature.js';
import {
  addColumn,
  backfill,
  databasePlan,
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
} from '../../support/plan-fixture.js';

const PLAN: ReportedRun = { kind: 'plan' };

const page = (plan: FleetPlan, run: ReportedRun = PLAN, showValues = false): string =>
  htmlReport(plan, run, { showValues, writtenAt: new Date('2025-01-02T04:00:00Z') });

const applied = (outcome: FleetOutcome, retry: string | null = null): ReportedRun => ({
  kind: 'ended',
  outcome,
  retry,
});

/** The text of a piece of the page, without its markup. */
const textOf = (markup: string): string =>
  markup
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/&(?:lt|gt|amp|quot|#39);/gu, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll(/[ \n]+/gu, ' ')
    .trim();
const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
};

/** What lies between the tags of an element by its id, to the end of its section or article. */
function part(html: string, id: string, element: 'section' | 'article' | 'li' = 'section'): string {
  const start = html.indexOf(`id="${id}"`);
  expect(start, `no element ${id}`).toBeGreaterThan(0);
  return textOf(`<${html.slice(start, html.indexOf(`</${element}>`, start))}`);
}

/** Every list of names, by its label. */
function lists(html: string): Record<string, readonly string[]> {
  const found = [...html.matchAll(/data-group="\d+" data-label="([^"]*)">((?:<div>[^<]*<\/div>)*)<\/div>/gu)];
  return Object.fromEntries(
    found.map(([, label = '', names = '']) => [label, names.replaceAll(/<\/?div>/gu, '').split('\n')]),
  );
}

/** Tenants that the wide picture draws, by the class of their colour. */
function drawn(html: string): Record<string, number> {
  const [, picture = ''] = /class="cells wide"[^>]*>(.*?)<\/svg>/su.exec(html) ?? [];
  const counts: Record<string, number> = {};
  for (const [, tone = '', dash = '', d = ''] of picture.matchAll(
    /<path class="tone-([^"]*)" stroke-width="[\d.]+" stroke-dasharray="([\d.]+) [\d.]+" d="([^"]*)"/gu,
  ))
    for (const [, length = ''] of d.matchAll(/h([\d.]+)/gu))
      counts[tone] = (counts[tone] ?? 0) + (Number(length) - Number(dash)) / 10 + 1;
  return counts;
}

const drift = fleetPlan({
  tenants: [
    ...Array.from({ length: 3 }, (_, at) => tenant(`s${at}`)),
    ...tenants(90, missingMembers(member('acme'), member('acme', 'u')), backfill('kind')),
    tenant('b', refusedRebuild, dropIndex('items_body')),
    tenant('w', waitingIndex),
  ],
  databaseChanges: [dropIndex('x')],
  unreadable: [{ database: 'main', schema: 'u', code: 'TENANT_UNREADABLE', message: 'permission denied' }],
  diagnostics: [
    {
      severity: 'warning',
      code: 'LOOKS_LIKE_A_TENANT',
      message: 'schema "d" holds some of the tables',
      remedy: 'name it with --schema',
      database: 'main',
      schema: 'd',
    },
  ],
});

describe('the page of a plan', () => {
  const html = page(drift);

  it('says first how many tenants need changes, then what else there is', () => {
    expect(textOf(html.slice(html.indexOf('<h1>'), html.indexOf('</header>')))).toBe(
      '91 of 96 tenants need changes 2 classes of drift, 1 change once a database, 1 blocked, 1 deferred, 1 not readable and 4 in sync. database app at db.example, PostgreSQL 17.2, role deploy · planned 2025-01-02 03:04 UTC',
    );
  });

  it('names every tenant once, in the list of its class', () => {
    const names = lists(html);
    expect(names['class 1']).toHaveLength(90);
    expect(names).toMatchObject({
      'class 2': ['b'],
      'class 3': ['w'],
      'not readable': ['u'],
      'in sync': ['s0', 's1', 's2'],
    });
    expect(Object.values(names).flat()).toHaveLength(96);
  });

  it('draws a cell for every tenant, in the colour of its class', () => {
    expect(drawn(html)).toEqual({ failed: 1, 'class-1': 90, 'class-2': 1, deferred: 1, 'in-sync': 3 });
  });

  it('shows a class with reasons, hazards, locks, members and statements', () => {
    const text = part(html, 'class-1', 'article');
    expect(text).toContain('90 tenants, 2 changes');
    expect(text).toContain('+ create-index items: 180 members of items_body_${kind.code}_${shop.short} search missing');
    expect(text).toContain('Hazard builds an index on a table that holds rows Lock SHARE UPDATE EXCLUSIVE');
    expect(text).toMatch(/CREATE INDEX CONCURRENTLY : ?":?index" ON : ?"schema" \.items USING gin/u);
  });

  it('shows what is blocked and what is deferred with the reason and the remedy', () => {
    expect(part(html, 'obstacles')).toContain(
      'blocked 1 tenant class 2 items holds rows, and replacing its indexes takes time and load rebuild-index items.items_title Do approve it with --allow rebuild-index',
    );
    expect(part(html, 'obstacles')).toContain('deferred 1 tenant class 3 needs 10000 rows to be built, has 12');
  });

  it('counts by phase, by hazard and by lock', () => {
    expect(part(html, 'phases')).toContain('base 90 90 – – – –');
    expect(part(html, 'phases')).toContain('search plain 92 180 – 1 1 1');
    const hazards = part(html, 'hazards');
    expect(hazards).toContain('updates the existing rows, in batches BACKFILL 90 – 1');
    expect(hazards).toContain('builds an index on a table that holds rows INDEX_BUILD 90 1 1 2');
    expect(hazards).toContain('locks tables by ACCESS EXCLUSIVE 90 – 1');
  });

  it('says what is made once, who could not be read, and what else there is to know', () => {
    expect(part(html, 'once')).toContain('drop-index items.x');
    expect(part(html, 'unreadable', 'article')).toContain('u : permission denied TENANT_UNREADABLE');
    expect(part(html, 'notices')).toContain('warning schema "d" holds some of the tables Do name it with --schema');
  });

  it('says which phases were not checked', () => {
    const phases = [phase('base'), phase('vector', { selected: false })];
    const partial = page(fleetPlan({ tenants: [tenant('s')] }, { phases }));
    expect(part(partial, 'phases')).toContain('vector not checked');
    expect(part(partial, 'in-sync', 'article')).toContain('Not checked: vector.');
    expect(partial).toContain('<h1>No changes</h1>');
  });

  it('names the database with each tenant where there are several, and those that could not be planned', () => {
    const in2 = { ...tenant('a', addColumn('c')), database: 'two' };
    const databases = [
      databasePlan({ tenants: [tenant('a', addColumn('c'))] }),
      databasePlan({ id: 'two', tenants: [in2] }),
    ];
    const failed = { database: 'three', code: 'CONNECTION_FAILED', message: 'refused', remedy: 'start it' } as const;
    const html = page(assemble(databases, undefined, [failed]));
    expect(lists(html)).toEqual({ 'class 1': ['main/a', 'two/a'] });
    expect(part(html, 'notices')).toContain('Database three refused CONNECTION_FAILED Do start it');
    expect(part(html, 'about')).toContain('two app db.example PostgreSQL 17.2 deploy 1 0 0');
  });

  it('names the database of each notice, where there are several', () => {
    const note = (database: string, message: string) =>
      ({
        severity: 'note',
        code: 'EXTENSION_ELSEWHERE',
        message,
        remedy: `mend ${database}`,
        database,
        schema: null,
      }) as const;
    const part2 = (id: string, count: number) =>
      databasePlan({
        id,
        databaseChanges: [dropIndex('x')],
        unreadable: [{ database: id, schema: 'u', code: 'TENANT_UNREADABLE', message: `denied in ${id}` }],
        diagnostics: Array.from({ length: count }, (_, at) => note(id, `so ${at}`)),
      });
    const several = page(assemble([part2('eu', 4), part2('us', 3)]));
    expect(part(several, 'notices')).toContain('note database eu: so 3 Do mend eu note database us: so 0 Do mend us');
    expect(part(several, 'notices')).toContain('2 more of this kind note database us: so 1 Do mend us');
    expect(part(several, 'unreadable', 'article')).toContain('eu/u : denied in eu');
    expect(part(several, 'once')).toMatch(/In database eu\..*In database us\./su);
    const alone = page(assemble([part2('eu', 1)]));
    expect(part(alone, 'notices')).toContain('note so 0 Do mend eu');
    expect(part(alone, 'once')).not.toContain('In database');
  });

  it('names the one database that is left, where the other could not be planned', () => {
    const left = databasePlan({
      id: 'eu',
      databaseChanges: [dropIndex('x')],
      tenants: [{ ...tenant('a', addColumn('c')), database: 'eu' }],
    });
    const failed = { database: 'us', code: 'CONNECTION_FAILED', message: 'refused', remedy: null } as const;
    const html = page(assemble([left], undefined, [failed]));
    expect(textOf(html.slice(html.indexOf('<p class="context">'), html.indexOf('<main')))).toContain(
      '1 of 2 databases ·',
    );
    expect(lists(html)).toEqual({ 'class 1': ['eu/a'] });
    expect(part(html, 'once')).toContain('In database eu.');
    expect(part(html, 'about')).toContain('eu app db.example PostgreSQL 17.2 deploy 1 0 0');
  });

  it('counts one tenant as one', () => {
    const figures = (plan: FleetPlan, run: ReportedRun) => {
      const html = page(plan, run);
      return textOf(html.slice(html.indexOf('<ul class="figures">'), html.indexOf('id="fleet"')));
    };
    const one = fleetPlan({ tenants: [tenant('a')] });
    expect(figures(one, PLAN)).toMatch(/^1 tenant 0 to change/u);
    expect(figures(one, applied(fleetOutcome([ended('a', 'in-sync')])))).toMatch(/^1 tenant 0 converged/u);
    expect(figures(fleetPlan({}), PLAN)).toMatch(/^0 tenants/u);
  });

  it('shows fields with names instead of cells while tenants are few, and says so where there is none', () => {
    const calm = (count: number) =>
      page(fleetPlan({ tenants: Array.from({ length: count }, (_, at) => tenant(`calm_${at}`)) }));
    expect(calm(72).match(/<bdi>calm_\d+<\/bdi>/gu)).toHaveLength(72);
    expect(calm(73)).not.toContain('<bdi>');
    expect(drawn(calm(73))).toEqual({ 'in-sync': 73 });
    const none = page(fleetPlan({}));
    expect(none).toContain('No tenant.');
    expect(none).toContain('<h1>No tenant found</h1>');
  });

  it('stays small: 50,000 tenants take about twice their names', () => {
    const many = fleetPlan({
      tenants: [
        ...tenants(5_000, dropIndex('x')),
        ...Array.from({ length: 45_000 }, (_, at) => tenant(`tenant_${at}`)),
      ],
    });
    const html = page(many);
    const names = many.databases.flatMap(({ tenants: all }) => all.map(({ schema }) => schema)).join('\n');
    expect(html.length).toBeLessThan(2 * names.length);
    expect(drawn(html)).toEqual({ 'class-1': 5_000, 'in-sync': 45_000 });
  });

  describe('of thousands of classes', () => {
    const refused = (at: number): Change => ({ ...refusedRebuild, object: `i${at}`, obstacle: `reason ${at}` });
    const all = fleetPlan({
      tenants: Array.from({ length: 1_200 }, (_, at) =>
        tenant(`t${at}`, at < 600 ? refused(at) : addColumn(`c${at}`), missingMembers(member('acme'))),
      ),
    });
    const [first = '', ...schemas] = all.classes.map((group) => group.tenants[0]?.schema ?? '');
    // One of the others, and one that is refused.
    const at = schemas.findIndex((schema, place) => place > 600 && Number(schema.slice(1)) < 600);
    const [schema = '', anchor] = [schemas[at], `class-${at + 2}`];
    const no = schema.slice(1);
    const html = page(all);

    it('takes less than a kilobyte for each', () => {
      expect(all.classes).toHaveLength(1_200);
      expect(html.indexOf('id="about"') - html.indexOf('id="class-501"')).toBeLessThan(700 * 1_000);
    });

    it('shows the first in full, the others as text with the same content, and every tenant', () => {
      const text = part(html, anchor, 'article');
      expect(text).toContain(`1 tenant, 2 changes ${schema} `);
      expect(text).toContain(
        `~ search rebuild-index items.i${no} — its operator class is title_l2, declared title_cosine blocked: reason ${no} do: approve it with --allow rebuild-index hazard: drops an index; builds an index on a table that holds rows lock: SHARE UPDATE EXCLUSIVE DROP INDEX CONCURRENTLY :"schema".items_title; + search create-index items: 1 member of`,
      );
      expect(lists(html)['class 1']).toEqual([first]);
      expect(Object.values(lists(html)).flat()).toHaveLength(1_200);
    });

    it('says in each list that it leaves some out', () => {
      expect(textOf(html)).toContain('1,188 more classes');
      expect(textOf(html)).toContain('… and 700 more classes, each under Classes of drift.');
      expect(part(html, 'obstacles')).toContain('… and 100 more reasons, each with its class below.');
      expect(/aria-label="(1,200 tenants[^"]*)"/u.exec(html)?.[1]).toMatch(/; 1 in class 40; and 1,160 more groups$/u);
    });

    it('draws no two tenants in one place', () => {
      const [picture = ''] = /<svg class="cells wide".*?<\/svg>/su.exec(html) ?? [];
      const places = [...picture.matchAll(/<path class="tone-[^>]*dasharray="([\d.]+) [^>]*d="([^"]*)"/gu)].flatMap(
        ([, dash, d = '']) =>
          [...d.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)/gu)].flatMap(([, x, y, length]) =>
            Array.from(
              { length: (Number(length) - Number(dash)) / 10 + 1 },
              (_, at) => `${Math.floor(Number(x) / 10) + at} ${y}`,
            ),
          ),
      );
      expect(places).toHaveLength(1_200);
      expect(new Set(places).size).toBe(1_200);
    });

    it('draws those that look alike as one', () => {
      expect(drawn(html)).toMatchObject({ 'class-1': 1, 'class-8': 1, 'class-more': 1_192 });
      const [picture] = /<svg class="cells wide".*?<\/svg>/su.exec(html) ?? [];
      expect(picture?.length).toBeLessThan(25_000);
    });

    it('tells of each what came of it', () => {
      const run = applied(
        fleetOutcome(
          all.databases.flatMap(({ tenants: list }) =>
            list.map(({ schema: name, changes }) =>
              ended(name, 'failed', {
                changes: [
                  ...changes.map((item) => ({ item, result: 'not-applied' as const })),
                  { item: { change: addColumn('late'), members: null }, result: 'applied' },
                ],
                error: { code: 'TENANT_FAILED', message: `cause ${name}`, sqlstate: '55P03', remedy: null },
              }),
            ),
          ),
        ),
      );
      const ends = page(all, run);
      const text = part(ends, anchor, 'article');
      expect(text).toContain(`failed ${schema} cause ${schema} TENANT_FAILED, SQLSTATE 55P03`);
      expect(text).toContain('result: not applied in 1 tenant');
      expect(text).toMatch(/some needed this too: \+ base add-column items\.late .*result: applied in 1 tenant/u);
      expect(part(ends, 'outcomes')).toContain('… and 700 more causes, each with its class below.');
      expect(page(all, applied(fleetOutcome([])))).toContain('result: no tenant came to it');
    });
  });

  it('begins as every report does', () => {
    expect(html.startsWith(REPORT_SIGNATURE)).toBe(true);
  });
});

describe('values of rows', () => {
  it('stay out of the page unless they are asked for (S2)', () => {
    const failing = fleetOutcome([
      ended('t1', 'failed', {
        changes: [{ item: missingMembers(member('acme')), result: 'not-applied' }],
        error: { code: 'TENANT_FAILED', message: 'Key (name)=(acme) is duplicated.', sqlstate: '23505', remedy: null },
      }),
    ]);
    for (const run of [PLAN, applied(failing)]) expect(page(drift, run)).not.toContain('acme');
    const shown = page(drift, PLAN, true);
    expect(part(shown, 'class-1', 'article')).toContain(
      't1: items_body_n_acme (kind.value new, kind.code n, shop.id acme',
    );
    expect(part(shown, 'about')).toContain('Values out of rows shown (--show-values)');
    expect(page(drift, applied(failing), true)).toContain('(name)=(acme)');
  });
});

describe('hostile names (S5)', () => {
  const NAMES = [
    '</script><script>alert(1)</script>',
    '<!-- <img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "' onfocus='alert(1)",
    '</style></title>',
    'line\nend',
    'a\u2028b\u2029c',
    'gnp.\u202eexe\u2066',
    '&lt;b&gt;',
    '${schema} \\u003c',
  ];
  const hostile = fleetPlan({
    tenants: NAMES.flatMap((name, at) => [tenant(name), tenant(`${name}${at}`, addColumn(name, { reason: name }))]),
    diagnostics: NAMES.map((message) => ({
      severity: 'note',
      code: 'BACKEND_RESOLVED',
      message,
      remedy: message,
      database: 'main',
      schema: null,
    })),
  });

  it('add no element and no attribute', () => {
    const tags = (html: string) => {
      const all = html
        .replace(/<style>.*?<\/style>/su, '')
        .replace(/(<script>).*?(<\/script>)/su, '$1$2')
        .match(/<[^>]*>/gu);
      return new Set(all?.map((tag) => tag.replaceAll(/"[^"]*"/gu, '""').replaceAll(/\d+/gu, '0')));
    };
    const harmless = fleetPlan({
      tenants: NAMES.flatMap((_, at) => [tenant(`s${at}`), tenant(`n${at}`, addColumn(`c${at}`, { reason: 'r' }))]),
      diagnostics: hostile.databases[0]?.diagnostics.map((one) => ({ ...one, message: 'm', remedy: 'r' })) ?? [],
    });
    expect([...tags(page(hostile))].filter((tag) => !tags(page(harmless)).has(tag))).toEqual([]);
    expect(page(hostile).match(/<script/gu)).toHaveLength(1);
    expect(page(hostile)).not.toContain('<!-- <img');
  });

  it('are shown as text, with what cannot be seen spelt out', () => {
    const names = lists(page(hostile))['in sync']?.map((name) => textOf(name));
    expect(names?.[0]).toBe('</script><script>alert(1)</script>');
    expect(names?.slice(5)).toEqual([
      'line\\x0aend',
      'a\\u2028b\\u2029c',
      'gnp.\\u202eexe\\u2066',
      '&lt;b&gt;',
      '${schema} \\u003c',
    ]);
    expect(page(hostile)).not.toMatch(/[\u2028\u2029\u202e\u2066]/u);
  });
});

describe('the page of an apply', () => {
  const failure = { code: 'TENANT_LOCKED', message: 'held by process 7', sqlstate: null, remedy: 'end it' } as const;
  const change = { change: backfill('kind'), members: null };
  const all = drift.databases.flatMap((database) => database.tenants);
  const outcome = fleetOutcome(
    [
      ...all.map(({ schema, changes }) => {
        if (changes.length === 0) return ended(schema, 'in-sync');
        if (schema === 'b') return ended(schema, 'partial');
        if (schema === 'w') return ended(schema, 'deferred');
        const at = Number(schema.slice(1));
        if (at <= 2)
          return ended(schema, 'failed', { error: failure, changes: [{ item: change, result: 'not-applied' }] });
        if (at > 80) return ended(schema, 'not-attempted');
        return ended(schema, 'converged', { changes: [{ item: change, result: at === 3 ? 'in-doubt' : 'applied' }] });
      }),
      ended('u', 'failed', { error: { ...failure, message: 'permission denied' } }),
      ended('gone', 'vanished'),
    ],
    { ended: 'deadline', databaseChanges: [{ change: dropIndex('x'), result: 'applied' }] },
  );
  const html = page(drift, applied(outcome, 'trueup apply --yes'));

  it('says how many converged, how many did not, and that it ended early', () => {
    expect(html).toContain('<h1>78 of 91 tenants converged</h1>');
    expect(html).toContain('3 failed, 1 vanished, 10 not attempted, 1 changed in part and 4 in sync.');
    expect(html).toContain(
      '<strong>Apply ended early.</strong> Its deadline came, or was no further off than its drain timeout: the rest is not attempted.',
    );
  });

  it('says that there was nothing to do, and is calm about it', () => {
    const calm = page(fleetPlan({ tenants: [tenant('s')] }), applied(fleetOutcome([ended('s', 'in-sync')])));
    expect(calm).toContain('<div class="verdict good"><h1>Nothing to apply</h1><p>1 in sync.</p></div>');
    expect(calm).not.toContain('id="outcomes"');
  });

  it('draws each tenant by its outcome', () => {
    expect(drawn(html)).toEqual({
      failed: 3,
      left: 10,
      vanished: 1,
      partial: 1,
      deferred: 1,
      converged: 78,
      'in-sync': 3,
    });
  });

  it('shows each cause once, with the remedy, the tenants and the command for what is left', () => {
    const failed = part(html, 'end-failed', 'li');
    expect(failed).toContain('3 tenants failed');
    expect(failed).toContain('held by process 7 TENANT_LOCKED t1, t2 · class 1 Do end it');
    expect(failed).toContain('permission denied TENANT_LOCKED u · all names Do end it');
    expect(part(html, 'outcomes')).toContain('trueup apply --yes');
    expect(part(html, 'outcomes')).toContain('Changes of all tenants: 77 applied, 2 not applied, 1 in doubt.');
  });

  it('tells for each change of a class what came of it, and for each tenant of the class how it ended', () => {
    const text = part(html, 'class-1', 'article');
    expect(text).toContain(
      'applied in 77 tenants not applied in 2 tenants in doubt: the connection was lost while it ran in 1 tenant',
    );
    expect(text).toContain('Result no tenant came to it');
    expect(Object.keys(lists(html))).toEqual([
      'failed, class 1',
      'converged, class 1',
      'not attempted, class 1',
      'changed in part, the rest blocked, class 2',
      'in sync, with changes deferred, class 3',
      'failed',
      'vanished during the run',
      'in sync',
    ]);
    expect(lists(html)['vanished during the run']).toEqual(['gone']);
    expect(part(html, 'once')).toContain('applied in 1 tenant');
  });

  it('shows what a tenant needed by the time of its turn, where the plan did not have it', () => {
    const late = fleetOutcome([
      ended('b', 'partial', { changes: [{ item: { change: addColumn('late'), members: null }, result: 'applied' }] }),
    ]);
    expect(part(page(drift, applied(late)), 'class-2', 'article')).toMatch(
      /some needed this too: . add-column items\.late .*applied in 1 tenant/u,
    );
  });

  it('says while apply is not confirmed, and once it has begun, that the page is not of its end', () => {
    expect(page(drift, { kind: 'awaiting' })).toContain('<strong>Not applied yet.</strong>');
    const begun = page(drift, { kind: 'begun' });
    expect(begun).toContain('<strong>Apply has begun, and its end is not known.</strong>');
    expect(begun).toContain('written at 2025-01-02 04:00 UTC, before the first change');
    expect(drawn(begun)).toEqual(drawn(page(drift)));
  });

  it('says of a run that broke off what had been begun and what had ended', () => {
    const broken = page(drift, {
      kind: 'broken',
      error: { code: 'INTERNAL', message: 'this is a bug', where: null, remedy: 'report it' },
      seen: [
        { database: 'main', schema: 't1', outcome: 'converged' },
        { database: 'main', schema: 't2', outcome: null },
      ],
    });
    expect(broken).toContain('<strong>Apply broke off.</strong> this is a bug <code>INTERNAL</code>');
    expect(broken).toContain('1 tenant had ended by then; of 1 tenant that had been begun the end is not known.');
    expect(drawn(broken)).toEqual({ ...drawn(page(drift)), 'class-1': 88, unknown: 1, converged: 1 });
    const early = page(drift, {
      kind: 'broken',
      error: { code: 'CONNECTION_FAILED', message: 'refused', where: 'db', remedy: null },
      seen: [],
    });
    expect(early).toContain('No tenant had been begun.');
  });
});

import { Ansis } from 'ansis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { Log } from '../../src/cli/log.js';
import { statementLog } from '../../src/cli/statement-log.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { eventDocument } from '../../src/report/apply-events.js';
import { applyDocument } from '../../src/report/apply-json.js';
import { applyText } from '../../src/report/apply-text.js';
import { MemberNames } from '../../src/report/member-names.js';
import { planDocument } from '../../src/report/plan-json.js';
import { planText } from '../../src/report/plan-text.js';
import { createMember, insertBank } from '../support/banks.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const NAMES = ['Greta Garbo', "Flann O'Brien"] as const;
const shown = (text: string): readonly string[] =>
  NAMES.filter((name) => text.includes(name) || text.includes(name.replaceAll("'", "''")));

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['acme']);
  for (const schema of ['acme']) {
    await test.exec(NAMES.map((name, at) => insertBank(schema, at + 1, name)).join(''));
    // Right name, another bank's predicate: its reason and its statements have values to tell.
    await test.exec(createMember(schema, 1, NAMES[1], 'worl'));
  }
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const layout = { color: new Ansis(0), width: 120, verbose: true };
const planned = (plan: FleetPlan, showValues: boolean) => ({
  text: planText(plan, { ...layout, showValues }),
  json: JSON.stringify(planDocument(plan, { showValues })),
});

it('S2: names in rows stand in no plan, no outcome and no event unless they are asked for', async () => {
  const plan = await fleet.plan();
  const hidden = planned(plan, false);
  expect({ text: shown(hidden.text), json: shown(hidden.json) }).toEqual({ text: [], json: [] });
  // Shown when asked for: else this test could not fail.
  expect(shown(planned(plan, true).json)).toEqual(NAMES);

  const events: ApplyEvent[] = [];
  const outcome = await fleet.apply({
    schemas: ['acme'],
    run: { observe: (event) => events.push(event) },
  });
  expect(outcome.tenants).toMatchObject([{ schema: 'acme', outcome: 'converged' }]);
  const phases = plan.desired.phases;
  expect(shown(applyText(outcome, { ...layout, showValues: false, phases }))).toEqual([]);
  expect(shown(JSON.stringify(applyDocument(outcome, { showValues: false })))).toEqual([]);
  expect(shown(JSON.stringify(applyDocument(outcome, { showValues: true })))).toEqual(NAMES);
  const hide = new MemberNames([plan.desired]);
  expect(events.length).toBeGreaterThan(0);
  expect(shown(events.map((event) => JSON.stringify(eventDocument(event, new Date(), { hide }))).join('\n'))).toEqual(
    [],
  );

  const logged = (hidden: MemberNames | null): string => {
    const lines: string[] = [];
    const log = new Log({ level: 'debug', format: 'json', write: (line) => void lines.push(line) });
    for (const sql of fleet.statements) statementLog(log, hidden)?.({ sql, parameters: [] });
    return lines.join('\n');
  };
  expect(logged(hide)).toContain('CREATE INDEX');
  expect(shown(logged(hide))).toEqual([]);
  expect(shown(logged(null))).toEqual(NAMES);
});

import { groupBy, oncePerObject } from '../collections.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';
import { showSql } from '../sql/template.js';
import { changeName } from './change-name.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from './fleet-plan.js';
import type { ApprovedChange, ApprovedDatabase, ApprovedDrift, ApprovedPlan, ApprovedState } from './plan-file.js';

/** What who approves a plan approves. Statements stand once a drift class: it grows with the fleet, never faster. */
export const approvedPlan = ({
  asked,
  desired,
  databases,
}: Pick<FleetPlan, 'asked' | 'desired' | 'databases'>): ApprovedPlan => ({
  asked,
  desiredState: approvedState(desired),
  databases: databases.map(databaseOf),
});

/** The desired state as a plan was made by it. */
export function approvedState(desired: DesiredState): ApprovedState {
  const names = (selected: boolean) =>
    desired.phases.filter((phase) => phase.selected === selected).map((phase) => phase.name);
  return {
    digest: desired.digest,
    baseSchema: desired.tenants.baseSchema,
    phases: names(true),
    skippedPhases: names(false),
    backends: Object.fromEntries(
      desired.phases.flatMap(({ name, backend }) =>
        backend === null
          ? []
          : [[name, { value: backend.value, source: backend.source, resolved: backend.resolved }] as const],
      ),
    ),
    parameters: Object.fromEntries(
      Object.entries(desired.parameters).map(([name, { value, source }]) => [name, { value, source }]),
    ),
  };
}

function databaseOf(database: DatabasePlan): ApprovedDatabase {
  const drifting = database.tenants.filter(({ changes }) => changes.length > 0);
  const groups = [
    ...groupBy(drifting, ({ changes }) => changes.map(({ change }) => approvedKey(change)).join()).values(),
  ];
  const drifts = groups.flatMap((group, at) => group.map((tenant) => driftOf(tenant, at)));
  return {
    id: database.id,
    host: database.host,
    port: database.port,
    name: database.name,
    oid: database.identity?.oid ?? null,
    systemIdentifier: database.identity?.systemIdentifier ?? null,
    changes: database.databaseChanges.map(approvedChange),
    classes: groups.map(([first]) => (first?.changes ?? []).map(({ change }) => approvedChange(change))),
    tenants: drifts.sort((left, right) => (left.schema < right.schema ? -1 : 1)),
    inSync: database.tenants.filter(({ changes }) => changes.length === 0).map(({ schema }) => schema),
    unreadable: database.unreadable.map(({ schema }) => schema),
  };
}

function driftOf({ schema, owner, fingerprint, changes }: PlannedTenant, at: number): ApprovedDrift {
  const members = changes.map((item) => item.members);
  return {
    schema,
    ...(owner === null ? {} : { owner }),
    fingerprint,
    class: at,
    ...(members.every((one) => one === null) ? {} : { members }),
  };
}

/** Alike changes share one object in a plan of many tenants: each is written out once. */
const approvedKey = oncePerObject((change: Change) => JSON.stringify(approvedChange(change)));

/** A change as an approval names it. */
export function approvedChange(change: Change): ApprovedChange {
  const { status, reason, obstacle, remedy, hazards, steps } = change;
  const undo = steps.flatMap((step) => step.undo ?? []);
  return {
    ...changeName(change),
    status,
    reason,
    ...(obstacle === null ? {} : { obstacle }),
    ...(remedy === null ? {} : { remedy }),
    hazards,
    statements: steps.map((step) => showSql(step.sql)),
    ...(undo.length === 0 ? {} : { undo: undo.map((step) => showSql(step.sql)) }),
  };
}

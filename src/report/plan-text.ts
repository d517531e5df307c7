import type { IndexUsage } from '../catalog/fact-types.js';
import { calledDatabase } from '../database/database-place.js';
import type { ResolvedBackend } from '../desired-state/model.js';
import { isPending, type Status } from '../diff/change.js';
import { size } from '../measures.js';
import type { DatabasePlan, DriftClass, FleetPlan } from '../plan/fleet-plan.js';
import { alikeChanges, type PlacedChange } from './alike-changes.js';
import { type ChangeTextOptions, changeLines, type ShownChange } from './change-text.js';
import { failedDatabaseCount, failedDatabaseLines } from './failed-databases.js';
import { inBlocks, paragraph } from './layout.js';
import { familyOf, memberCount, memberName, membersOf, usageOf } from './members.js';
import { noticeLines } from './notice-text.js';
import { targetLine } from './target-line.js';
import { ofSeveral, tenantName } from './tenant-name.js';
import { visible } from './visible.js';
import { counted, named, number, scopeOf, shardOf } from './words.js';

/** How a plan is shown. */
export interface PlanTextOptions extends ChangeTextOptions {
  readonly showValues: boolean;
}

/** Drift classes that are shown unless verbose: nobody reads more in a terminal. */
const CLASSES = 20;
const NAMES = 3;

/** A plan for people: what needs what, and how many are well. Lines without colour are the same under any palette. */
export function planText(plan: FleetPlan, options: PlanTextOptions): string {
  const shown = options.verbose ? plan.classes : plan.classes.slice(0, CLASSES);
  const blocks = [
    [...plan.databases.flatMap((database) => targetLines(database, plan, options)), ...backendLines(plan, options)],
    failedDatabaseLines(plan.failedDatabases, 'not planned', options),
    inSyncLines(plan, options),
    ...plan.databases
      .filter((database) => database.databaseChanges.length > 0)
      .map((one) => databaseLines(one, options)),
    ...shown.map((group) => classLines(group, plan, options)),
    hiddenClasses(plan.classes.slice(shown.length), options),
    options.verbose ? plan.databases.flatMap((database) => unmanagedLines(database, plan, options)) : [],
    noticeLines(plan, options),
    closingLines(plan, options),
  ];
  return inBlocks(blocks);
}

function targetLines(database: DatabasePlan, plan: FleetPlan, { width }: PlanTextOptions): readonly string[] {
  return paragraph(targetLine(database, ofSeveral(plan)), width, 0, 2);
}

function backendLines({ desired }: FleetPlan, { width }: PlanTextOptions): readonly string[] {
  const chosen = desired.phases.flatMap((phase) =>
    phase.selected && phase.backend !== null ? [`${visible(phase.name)} ${backendWords(phase.backend)}`] : [],
  );
  return chosen.length === 0 ? [] : paragraph(`Backends: ${chosen.join(', ')}`, width, 0, 2);
}

function backendWords({ value, resolved, source }: ResolvedBackend): string {
  const notes = [
    ...(source === 'default' ? ['default'] : []),
    ...(resolved === value ? [] : [`resolved to ${visible(resolved)}`]),
  ];
  return notes.length === 0 ? visible(value) : `${visible(value)} (${notes.join(', ')})`;
}

/** First the good news, where there is other news: else the last line says it. */
function inSyncLines({ summary, classes, desired }: FleetPlan, { color, width }: PlanTextOptions): readonly string[] {
  if (summary.inSync === 0 || classes.length === 0) return [];
  const verdict = `${counted(summary.inSync, 'tenant')} in sync${scopeOf(desired.phases)}.`;
  return paragraph(verdict, width, 0).map((line) => color.green(line));
}

function databaseLines(database: DatabasePlan, options: PlanTextOptions): readonly string[] {
  const changes = database.databaseChanges.map((change) => ({
    change,
    objects: [change.object],
    members: null,
    details: [],
  }));
  return [
    options.color.bold(`Once, in database ${visible(calledDatabase(database))}:`),
    ...changeLines(changes, options),
  ];
}

function classLines(group: DriftClass, plan: FleetPlan, options: PlanTextOptions): readonly string[] {
  const names = group.tenants.map((tenant) => tenantName(plan, tenant));
  const tenants = named(names, options.verbose ? names.length : NAMES);
  const head = `${counted(group.tenants.length, 'tenant')} ${predicate(group)}: (${tenants})`;
  const placed = group.changes.map(({ change }, at) => ({ change, at }));
  const order: readonly Status[] = ['pending', 'blocked', 'deferred'];
  const shown = order.flatMap((status) => {
    const its = placed.filter(({ change }) => change.status === status);
    const alike = options.verbose ? its.map((one) => [one]) : alikeChanges(its);
    return alike.flatMap((changes) => shownChange(changes, group, plan, options));
  });
  return [
    ...paragraph(head, options.width, 0, 2).map((line) => options.color.bold(line)),
    ...changeLines(shown, options),
  ];
}

function predicate(group: DriftClass): string {
  const one = group.tenants.length === 1;
  const having = (status: Status) => group.changes.some(({ change }) => change.status === status);
  if (having('pending')) return one ? 'needs' : 'need';
  if (having('blocked')) return one ? 'is blocked' : 'are blocked';
  return one ? 'is in sync, with changes deferred' : 'are in sync, with changes deferred';
}

function shownChange(
  alike: readonly PlacedChange[],
  group: DriftClass,
  plan: FleetPlan,
  options: PlanTextOptions,
): readonly ShownChange[] {
  const [first] = alike;
  if (first === undefined) return [];
  const { change, at } = first;
  const objects = alike.map((one) => one.change.object);
  const usage = usageOf(
    group,
    alike.map((one) => one.at),
  );
  const served = usage === undefined ? [] : [usageWords(usage)];
  if (change.family === null) return [{ change, objects, members: null, details: served }];
  const members = counted(memberCount(group, at), 'member');
  if (!options.verbose) return [{ change, objects, members, details: served }];
  const family = familyOf(plan, change);
  const details = membersOf(group, at).map(
    (tenant) =>
      `${tenantName(plan, tenant)}: ${tenant.members.map((member) => memberName(family, member, options.showValues)).join(', ')}`,
  );
  return [{ change, objects, members, details: [...served, ...details] }];
}

function hiddenClasses(classes: readonly DriftClass[], { width }: PlanTextOptions): readonly string[] {
  if (classes.length === 0) return [];
  const tenants = classes.reduce((sum, group) => sum + group.tenants.length, 0);
  const what = `${counted(classes.length, 'more class', 'more classes')} of ${counted(tenants, 'tenant')}`;
  return paragraph(`… and ${what}: --verbose or --json shows all.`, width, 0);
}

/** Never touched, so no drift; counted, so that nobody takes "in sync" for "nothing else is there". */
function unmanagedLines(
  { id, unmanaged }: DatabasePlan,
  plan: FleetPlan,
  { width }: PlanTextOptions,
): readonly string[] {
  if (unmanaged === null) return [];
  const counts = [
    counted(unmanaged.tables, 'table'),
    counted(unmanaged.columns, 'column'),
    counted(unmanaged.indexes, 'index', 'indexes'),
  ];
  const where = ofSeveral(plan) ? ` in database ${visible(id)}` : '';
  return paragraph(`Unmanaged${where}, left alone: ${counts.join(', ')}.`, width, 0);
}

function closingLines(plan: FleetPlan, { color, width }: PlanTextOptions): readonly string[] {
  const { summary } = plan;
  const scope = scopeOf(plan.desired.phases);
  const shard = shardOf(plan.databases[0]?.shard);
  const unknown = [
    ...(summary.unreadable === 0 ? [] : [`${number(summary.unreadable)} not readable`]),
    ...failedDatabaseCount(plan.failedDatabases, 'not planned'),
  ];
  const once = plan.databases.reduce(
    (sum, database) => sum + database.databaseChanges.filter((change) => change.status === 'pending').length,
    0,
  );
  const pending = plan.classes.filter((group) => group.changes.some(isPending));
  if (once === 0 && summary.drifted === 0) {
    // Of what could not be read nobody knows.
    const isKnown = unknown.length === 0;
    const head = isKnown ? 'No changes' : 'Nothing can be changed yet';
    if (summary.tenants === 0) {
      const none = shard === '' ? 'No tenant found' : `${capital(shard)}no tenant`;
      return paragraph(`${head}. ${[none, ...unknown].join(', ')}.`, width, 0);
    }
    const deferred = summary.deferred === 0 ? [] : [`${number(summary.deferred)} of them with changes deferred`];
    const inSync = `${counted(summary.inSync, 'tenant')} in sync`;
    const verdict = `${head}. ${capital(shard)}${[inSync, ...deferred, ...unknown].join(', ')}${scope}.`;
    return paragraph(verdict, width, 0).map((line) => (isKnown ? color.green(line) : line));
  }
  const tenants = pending.reduce((sum, group) => sum + group.tenants.length, 0);
  const classes = pending.length === 0 ? '' : ` (${counted(pending.length, 'class', 'classes')})`;
  const parts = [
    ...(once === 0 ? [] : [`${counted(once, 'change')} once`]),
    `${counted(tenants, 'tenant')} to change${classes}`,
    `${number(summary.blocked)} blocked`,
    `${number(summary.deferred)} deferred`,
    ...unknown,
    `${number(summary.inSync)} in sync`,
  ];
  return paragraph(`Plan: ${shard}${parts.join(', ')}${scope}.`, width, 0).map((line) => color.bold(line));
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `served 12 scans since the statistics were reset; 3.4 MB`. */
function usageWords({ scans, bytes }: IndexUsage): string {
  const served = scans === 1 ? '1 scan' : `${number(scans)} scans`;
  return `served ${served} since the statistics were reset; ${size(bytes)}`;
}

import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { Outcome, TenantOutcome } from '../apply/outcome.js';
import type { StopReason } from '../apply/run-control.js';
import { groupBy } from '../collections.js';
import type { DesiredPhase } from '../desired-state/model.js';
import { alikeChanges, type PlacedChange } from './alike-changes.js';
import { changeCounts, hasLeftOvers } from './change-counts.js';
import { saidOnce } from './change-text.js';
import { failedDatabaseCount, failedDatabaseLines } from './failed-databases.js';
import { inBlocks, paragraph, type TextOptions } from './layout.js';
import { MemberNames } from './member-names.js';
import { tenantName, withoutSchema } from './tenant-name.js';
import { troublesOf } from './troubles.js';
import { visible } from './visible.js';
import { counted, named, number, scopeOf, shardOf, subjectName } from './words.js';

/** How an apply's outcome is shown. */
export interface ApplyTextOptions extends TextOptions {
  readonly showValues: boolean;
  /** All names and all causes, however many. */
  readonly verbose: boolean;
  /** The phases of the desired state: "in sync" names those that were left out. */
  readonly phases: readonly DesiredPhase[];
  /** The command line for what is left over, quoted for a shell, and what has to be known about it; null: none helps. */
  readonly retry?: { readonly line: string; readonly note: string | null } | null;
}

const NAMES = 5;
/** Objects of many changes that read alike. */
const OBJECTS = 3;
/** Distinct causes of one outcome that are shown unless verbose. */
const CAUSES = 20;

/** What an apply did, for people: those that need a hand first, the sum last. */
export function applyText(result: FleetOutcome, options: ApplyTextOptions): string {
  const hide = options.showValues ? null : new MemberNames(result.databases.map(({ desired }) => desired));
  const blocks = [
    failedDatabaseLines(result.failedDatabases, 'left out', options),
    ...TROUBLES.map((trouble) => troubleLines(trouble, result, hide, options)),
    options.verbose ? changeLines(result, options) : [],
    doubtLines(result, options),
    closingLines(result, options),
  ];
  return inBlocks(blocks);
}

interface Trouble {
  readonly outcome: Outcome;
  readonly words: string;
  /** Why, in lines; tenants with the same are shown together. @param whole names all of many changes that read alike */
  readonly cause: (tenant: TenantOutcome, hide: MemberNames | null, whole: boolean) => readonly string[];
}

const TROUBLES: readonly Trouble[] = [
  { outcome: 'failed', words: 'failed', cause: failure },
  { outcome: 'stale', words: 'changed since the plan and left alone', cause: failure },
  { outcome: 'vanished', words: 'vanished during the run', cause: () => [] },
  { outcome: 'not-attempted', words: 'not attempted', cause: failure },
  { outcome: 'blocked', words: 'blocked, nothing changed', cause: obstacles('blocked') },
  { outcome: 'partial', words: 'changed in part, the rest blocked', cause: obstacles('blocked') },
  { outcome: 'deferred', words: 'in sync, with changes deferred', cause: obstacles('deferred') },
];

function failure({ error }: TenantOutcome, hide: MemberNames | null): readonly string[] {
  if (error === null) return [];
  const { message, code, sqlstate, remedy } = error;
  const codes = sqlstate === null ? code : `${code}, SQLSTATE ${sqlstate}`;
  return [
    `${visible(hide === null ? message : hide.message(message))} (${codes})`,
    ...(remedy === null ? [] : [`do: ${visible(remedy)}`]),
  ];
}

function obstacles(status: 'blocked' | 'deferred'): Trouble['cause'] {
  return ({ changes }, _, whole) => {
    const its = changes.flatMap(({ item: { change } }, at) => (change.status === status ? [{ change, at }] : []));
    return (whole ? its.map((one) => [one]) : alikeChanges(its)).flatMap(obstacleLines);
  };
}

/** Of changes that read alike: `rebuild-index items.a, b, c and 997 more: …`. */
function obstacleLines([first, ...others]: readonly PlacedChange[]): readonly string[] {
  if (first === undefined) return [];
  const { action, reason } = first.change;
  const { obstacle, remedy } = saidOnce(first.change);
  const subjects = named([subjectName(first.change), ...others.map(({ change }) => change.object)], OBJECTS);
  return [
    `${action} ${subjects}: ${visible(obstacle ?? reason)}`,
    ...(remedy === null || remedy === '' ? [] : [`do: ${visible(remedy)}`]),
  ];
}

function troubleLines(
  trouble: Trouble,
  result: FleetOutcome,
  hide: MemberNames | null,
  options: ApplyTextOptions,
): readonly string[] {
  const { color, width, verbose } = options;
  const tenants = result.tenants.filter((tenant) => tenant.outcome === trouble.outcome);
  const causes = [
    ...groupBy(tenants, (tenant) => withoutSchema(trouble.cause(tenant, hide, true).join('\n'), tenant.schema)),
  ].map(([, group]) => group);
  const shown = verbose ? causes : causes.slice(0, CAUSES);
  const style = trouble.outcome === 'failed' ? color.red : color.yellow;
  const lines = shown.flatMap((group) => {
    const names = group.map((tenant) => tenantName(result, tenant));
    const head = `${counted(group.length, 'tenant')} ${trouble.words}: (${named(names, verbose ? names.length : NAMES)})`;
    const [first] = group;
    const cause = first === undefined ? [] : trouble.cause(first, hide, verbose);
    return [
      ...paragraph(head, width, 0, 2).map((line) => style(line)),
      ...cause.flatMap((line) => paragraph(line, width, 4, 2)),
    ];
  });
  const left = causes.slice(shown.length).reduce((sum, group) => sum + group.length, 0);
  const more = `… and ${counted(left, 'more tenant')} ${trouble.words}: --verbose or --json shows all.`;
  return left === 0 ? lines : [...lines, more];
}

/** What became of each change of each tenant. */
function changeLines(result: FleetOutcome, { width, color }: ApplyTextOptions): readonly string[] {
  return result.tenants.flatMap((tenant) => {
    const { changes } = tenant;
    if (changes.length === 0) return [];
    const name = tenantName(result, tenant);
    const lines = changes.map(({ item: { change, members }, result: made }) => {
      const count = members === null ? '' : ` (${counted(members.length, 'member')})`;
      const why = change.status === 'pending' ? '' : `, ${change.status}`;
      return paragraph(`${RESULTS[made]}${why}: ${change.action} ${visible(subjectName(change))}${count}`, width, 4, 2);
    });
    return [color.bold(`${visible(name)}:`), ...lines.flat()];
  });
}

const RESULTS = { applied: 'applied', 'not-applied': 'not applied', 'in-doubt': 'in doubt' } as const;

/** A lost connection says nothing of the statement that it interrupted. */
function doubtLines(result: FleetOutcome, { width }: ApplyTextOptions): readonly string[] {
  return result.tenants.flatMap((tenant) =>
    tenant.changes.flatMap(({ item: { change }, result: made }) =>
      made === 'in-doubt'
        ? paragraph(
            `In doubt: ${change.action} ${visible(subjectName(change))} of ${visible(tenantName(result, tenant))}: the connection was lost while it ran; the next run sees what came of it.`,
            width,
            0,
            2,
          )
        : [],
    ),
  );
}

function closingLines(result: FleetOutcome, { color, width, phases, retry }: ApplyTextOptions): readonly string[] {
  const { summary, ended } = result;
  const made = result.databaseChanges.filter(({ result: how }) => how === 'applied').length;
  const troubles = troublesOf(summary);
  const parts = [
    ...(made === 0 ? [] : [`${counted(made, 'change')} made once`]),
    `${counted(summary.converged, 'tenant')} converged`,
    ...troubles,
    ...failedDatabaseCount(result.failedDatabases, 'left out'),
    // As in a plan: a tenant with only deferred changes is in sync.
    `${number(summary.inSync + summary.deferred)} in sync`,
  ];
  const good = ended === null && result.failedDatabases.length === 0 && troubles.length === 0;
  const { applied, notApplied, inDoubt } = changeCounts(result.tenants);
  const changes = [
    `${number(applied)} applied`,
    `${number(notApplied)} not applied`,
    ...(inDoubt === 0 ? [] : [`${number(inDoubt)} in doubt`]),
  ];
  return [
    ...(ended === null ? [] : paragraph(ENDS[ended], width, 0).map((line) => color.yellow(line))),
    ...paragraph(`Apply: ${shardOf(result.databases[0]?.shard)}${parts.join(', ')}${scopeOf(phases)}.`, width, 0).map(
      (line) => (good ? color.green(line) : color.bold(line)),
    ),
    // Where nothing failed, the lines above have said it all.
    ...(inDoubt > 0 || (hasLeftOvers(result) && notApplied > 0) ? [`Changes: ${changes.join(', ')}.`] : []),
    ...(hasLeftOvers(result) ? againLines(retry, width) : []),
  ];
}

function againLines(retry: ApplyTextOptions['retry'], width: number): readonly string[] {
  if (retry === null) return [];
  if (retry === undefined)
    return paragraph('Run the same command again for what is left: what is done stays done.', width, 0);
  // Not broken between words: it is there to be copied.
  return [
    ...paragraph('Run again for what is left; what is done stays done:', width, 0),
    `  ${retry.line}`,
    ...(retry.note === null ? [] : paragraph(retry.note, width, 0)),
  ];
}

const ENDS: Readonly<Record<StopReason, string>> = {
  SIGINT: 'Interrupted by SIGINT.',
  SIGTERM: 'Interrupted by SIGTERM.',
  deadline: 'Ended early: the time that --deadline names had come, or was no further off than --drain-timeout.',
  'max-failures': 'Ended early: as many tenants have failed as --max-failures names.',
  canary: 'Ended early: a canary failed, so no other tenant was begun.',
  connection: 'Ended early: the server could not be reached any more.',
};

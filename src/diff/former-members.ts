import { groupBy, oncePer } from '../collections.js';
import type { DesiredPhase } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import { identifierVariable } from '../sql/template.js';
import { isTemporary } from '../sql/temporary-name.js';
import { isForeign } from './backend-switch.js';
import type { TenantChange } from './change.js';
import type { DiffContext, OwnedIndex } from './context.js';
import type { TableIndexes } from './declared-index.js';
import { drop } from './index-steps.js';
import { usesReplaced } from './indexed-columns.js';
import { sparingIdentity } from './replica-identity.js';
import { unexpectedIndex } from './unexpected-index.js';

/** A family that some backend of a phase declares on a table. */
type KnownFamily = NonNullable<DesiredPhase['backend']>['known'][number]['families'][number];

/** Every family that any backend of the selected phases declares on a table, the backends that do not run here too. */
export function knownFamilies(phases: readonly DesiredPhase[], table: string): readonly KnownFamily[] {
  return phases
    .filter((phase) => phase.selected)
    .flatMap((phase) => phase.backend?.known ?? [])
    .flatMap((backend) => backend.families.filter((family) => family.table === table));
}

/** Tells whether an index looks like a member that a backend other than the one that runs has left on a table. */
export function formerMember(phases: readonly DesiredPhase[]): (table: string, index: IndexShape) => boolean {
  const running = phases.flatMap(({ selected, backend }) => (selected && backend !== null ? [backend] : []));
  const patternsOn = oncePer((table: string) =>
    knownFamilies(phases, table).map(({ pattern }) => new RegExp(pattern, 'su')),
  );
  return (table, index) =>
    running.every((backend) => isForeign(backend, index.method)) &&
    patternsOn(table).some((pattern) => pattern.test(index.name));
}

/**
 * Drops of what nothing declares. Members that another backend's family left behind are counted with that family: their
 * names hold ids of rows, and by name every tenant would be a drift class of its own.
 */
export function unexpectedMembers(
  indexes: readonly OwnedIndex[],
  of: Pick<TableIndexes, 'desired' | 'replaced'>,
  context: DiffContext,
): readonly TenantChange[] {
  const families = knownFamilies(context.phases, of.desired.name);
  const alone: TenantChange[] = [];
  const counted: { readonly index: IndexShape; readonly item: TenantChange }[] = [];
  for (const { index } of indexes) {
    if (usesReplaced(index, of.replaced, context)) continue;
    const unexpected = unexpectedIndex(index, of.desired, context);
    if (unexpected === null) continue;
    const family = isTemporary(index.name)
      ? undefined
      : families.find((known) => new RegExp(known.pattern, 'su').test(index.name));
    if (family === undefined) alone.push({ change: sparingIdentity(unexpected, index), members: null });
    else {
      const member = identifierVariable('index');
      const steps = [drop(of.desired.name, member)];
      const change = { ...unexpected, object: family.label, family: family.label, frees: [member], steps };
      counted.push({ index, item: { change: sparingIdentity(change, index), members: [{ index: index.name }] } });
    }
  }
  const isInUse = ({ item }: (typeof counted)[number]) => item.change.hazards.includes('INDEX_IN_USE');
  // Whether one of them has served queries may change at any moment: what is to be done does not.
  const groups = groupBy(counted, ({ item: { change } }) =>
    JSON.stringify({ ...change, reason: null, hazards: change.hazards.filter((hazard) => hazard !== 'INDEX_IN_USE') }),
  ).values();
  return [
    ...alone,
    ...[...groups].flatMap((group) => {
      const first = group.find(isInUse) ?? group[0];
      return first === undefined
        ? []
        : [{ change: first.item.change, members: group.flatMap(({ item }) => item.members ?? []) }];
    }),
  ];
}

import { asOneIndex } from '../desired-state/as-one-index.js';
import type { IndexShape } from '../shape/table-shape.js';
import { identifierVariable } from '../sql/template.js';
import { alteredIndex } from './altered-index.js';
import { asSwitch } from './backend-switch.js';
import { refuseBuild } from './build-refusal.js';
import { type Assumption, change, type Hazard, key, type Member, type TenantChange } from './change.js';
import type { DiffContext } from './context.js';
import { predicateTemplate } from './family-members.js';
import type { Setting } from './index-options.js';
import {
  build,
  dropUnworthy,
  type IndexTarget,
  indexDefinition,
  rebuildSteps,
  rename,
  setting,
  swapSteps,
} from './index-steps.js';
import { indexedColumns } from './indexed-columns.js';
import { sparingIdentity } from './replica-identity.js';
import type { TenantFamily } from './tenant-family.js';

/** A member's name, and that of the index which becomes it. */
const INDEX = identifierVariable('index');
const FROM = identifierVariable('from');

/** What becomes of a member, or of an index whose rows are gone. */
export type Fate = 'build' | 'rebuild' | 'swap' | 'rename' | 'alter' | 'drop' | 'orphan';

/** One member, and what is to be done about it. */
export interface Finding {
  readonly fate: Fate;
  readonly reason: string;
  /** Whether the index goes before its successor is built: it is INVALID and serves nothing. */
  readonly dropFirst: boolean;
  /** Options that the index which is the member, or becomes it, takes on as it stands. */
  readonly settings: readonly Setting[];
  readonly inUse: boolean;
  /** The index of another backend that is replaced or dropped. */
  readonly other: IndexShape | null;
  /** The index that is replaced or dropped, where the table is replicated by it. */
  readonly identity: IndexShape | null;
  readonly member: Member;
}

/** One change for members of one fate and reason: what else {@link Finding} holds is alike too, but for `inUse`. */
export function familyChange(of: TenantFamily, group: readonly Finding[], context: DiffContext): TenantChange {
  const [first] = group;
  if (first === undefined) throw new Error('internal: an empty group of family members');
  const table = of.desired.name;
  const { family } = of;
  const members = group.map((found) => found.member);
  if (first.fate === 'alter') {
    const base = { phase: family.phase, table, object: family.label, family: family.label };
    return { change: alteredIndex(base, INDEX, first.settings), members };
  }
  const builds = first.fate === 'build' || first.fate === 'rebuild';
  // A table that this run makes has no rows, and a drop or a rename is the same with and without: nothing is read then.
  const online = builds && of.actual !== null && context.facts.rows(table) !== 'none';
  const target: IndexTarget = {
    definition: indexDefinition(table, family, predicateTemplate(family)),
    name: INDEX,
    temporaryNew: identifierVariable('temporary_new'),
    temporaryOld: identifierVariable('temporary_old'),
  };
  const hazards: Hazard[] = [];
  const drops = first.fate === 'drop' || first.fate === 'orphan';
  if (first.fate === 'rebuild' || first.fate === 'swap' || drops) hazards.push('INDEX_DROPPED');
  if (group.some(({ inUse }) => inUse)) hazards.push('INDEX_IN_USE');
  if (builds && online) hazards.push('INDEX_BUILD');
  const steps = {
    build: () => [build(target.definition, INDEX, online)],
    rebuild: () => rebuildSteps(target, { online, dropFirst: first.dropFirst }),
    swap: () => [...setting(table, FROM, first.settings), ...swapSteps(target, FROM)],
    rename: () => [...setting(table, FROM, first.settings), rename(table, FROM, INDEX)],
    drop: () => dropUnworthy(target),
    orphan: () => dropUnworthy(target),
  }[first.fate]();
  const made = change({
    phase: family.phase,
    action: ACTION[first.fate],
    table,
    object: family.label,
    family: family.label,
    reason: first.reason,
    hazards,
    takes: first.fate === 'build' || first.fate === 'rename' ? [{ name: INDEX, of: 'index' }] : [],
    frees: drops ? [INDEX] : first.fate === 'rename' ? [FROM] : [],
    assumptions: assumptionsOf(group, builds && !online && of.actual !== null, of),
    provides: drops ? [] : [key.built(family.phase, table)],
    needs: drops
      ? [key.built(family.phase, table)]
      : [
          key.table(table),
          key.cleared(table),
          ...indexedColumns(asOneIndex(family), context).map((column) => key.column(table, column)),
        ],
    steps,
  });
  const switched = asSwitch(made, first.other, context);
  const settled = builds && switched.status !== 'blocked' ? refuseBuild(switched, of.family, of, context) : switched;
  const spared = first.identity === null ? settled : sparingIdentity(settled, first.identity);
  return { change: spared, members };
}

function assumptionsOf(group: readonly Finding[], inTransaction: boolean, of: TenantFamily): readonly Assumption[] {
  const fate = group[0]?.fate;
  if (inTransaction) return [{ kind: 'no-rows', table: of.desired.name }];
  if (fate === 'drop')
    return [
      {
        kind: 'few-rows',
        table: of.desired.name,
        where: predicateTemplate(of.family),
        below: of.family.worthRows?.keep ?? 0,
      },
    ];
  if (fate !== 'orphan') return [];
  const names = group.flatMap(({ member }) => member.index ?? []);
  // By then a row of another family may give the name.
  const others = of.earlier.filter(({ pattern }) => names.some((name) => pattern.test(name)));
  return [...others, of].flatMap(({ family }) =>
    family.rows === null ? [] : [{ kind: 'no-member', table: family.rows.table, family }],
  );
}

const ACTION = {
  build: 'create-index',
  rebuild: 'rebuild-index',
  swap: 'rebuild-index',
  rename: 'rename-index',
  drop: 'drop-index',
  orphan: 'drop-index',
} as const;

import type { Shard } from '../catalog/shard.js';
import { number } from '../counted.js';
import type { DesiredPhase } from '../desired-state/model.js';
import type { Action, Hazard } from '../diff/change.js';
import { visible } from './visible.js';

export { counted, number } from '../counted.js';

/** What each hazard means, for people. */
export const HAZARD_WORDS: Readonly<Record<Hazard, string>> = {
  TABLE_REWRITE: 'rewrites or rereads the table, which nobody can read or write meanwhile',
  TABLE_SCAN: 'reads every row once; readers and writers go on',
  SHARED_TABLE_LOCKED:
    'locks a table that all tenants share, for a moment: against its writers, and against its readers where a key onto it goes',
  BACKFILL: 'updates the existing rows, in batches',
  INDEX_BUILD: 'builds an index on a table that holds rows',
  INDEX_DROPPED: 'drops an index',
  INDEX_IN_USE: 'the dropped index has served queries',
  INDEX_ABSENT_MEANWHILE: 'until the build ends, no index serves its queries',
  VALUES_MISSING: 'existing rows get no value: the application has to fill them',
  COLUMN_DROPPED: 'drops a column',
  KEY_NOT_UNIQUE: 'the index takes a column for its key, and no constraint or index makes that column unique',
};

/** Terraform's signs: something comes, something goes, something becomes something else. */
export function symbolOf(action: Action): '+' | '-' | '~' {
  if (/^(?:create|add|stamp)-/u.test(action)) return '+';
  return action.startsWith('drop-') ? '-' : '~';
}

/** What a change is about: `items.kind`; a table, and what belongs to none, by its own name. */
export const subjectName = ({ table, object }: { readonly table: string; readonly object: string }): string =>
  table === '' || table === object ? object : `${table}.${object}`;

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** Names, the first few of them when they are many: `t1, t2, t3 and 9 more`. */
export function named(names: readonly string[], limit: number): string {
  // "and 1 more" is no shorter than the name itself.
  if (names.length <= limit + 1) return names.map(visible).join(', ');
  return `${names.slice(0, limit).map(visible).join(', ')} and ${number(names.length - limit)} more`;
}

/** How far "in sync" reaches when phases were left out: ` (base; vector and text-search not checked)`. */
export function scopeOf(phases: readonly DesiredPhase[]): string {
  const names = (selected: boolean) =>
    phases.flatMap((phase) => (phase.selected === selected ? [visible(phase.name)] : []));
  const skipped = names(false);
  return skipped.length === 0 ? '' : ` (${listed(names(true))}; ${listed(skipped)} not checked)`;
}

/** What a verdict begins with when it is about a part of the fleet: `shard 2/8: `. */
export const shardOf = (shard: Shard | null | undefined): string =>
  shard === null || shard === undefined ? '' : `shard ${shard.index}/${shard.count}: `;

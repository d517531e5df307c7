import type { DesiredIndexBase } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import type { LockMode } from './lock-mode.js';

/** An option that is not as declared. */
export interface OptionDifference {
  readonly option: string;
  /** As declared; null where it is not. */
  readonly value: string | null;
  readonly words: string;
}

/** An option that an index takes on as it stands. */
export interface Setting extends OptionDifference {
  readonly lock: LockMode;
}

/**
 * What PostgreSQL's own methods go by after the build, and the lock that ALTER INDEX takes on the index for it (reloptions.c,
 * alike in 14 to 18). Everything else is built in, and ALTER INDEX would change the catalog alone: what extensions bring, brin's
 * pages_per_range, and the fillfactor of hash (its metapage keeps that of the build) and of gist (inserts fill pages whatever
 * it is). gist's buffering is how to build: an index that stands is none the better for a build in the other way.
 */
const IN_PLACE: ReadonlyMap<string, LockMode> = new Map([
  ['btree fillfactor', 'SHARE UPDATE EXCLUSIVE'],
  ['btree deduplicate_items', 'SHARE UPDATE EXCLUSIVE'],
  ['spgist fillfactor', 'SHARE UPDATE EXCLUSIVE'],
  ['gist buffering', 'ACCESS EXCLUSIVE'],
  ['gin fastupdate', 'ACCESS EXCLUSIVE'],
  ['gin gin_pending_list_limit', 'ACCESS EXCLUSIVE'],
  ['brin autosummarize', 'ACCESS EXCLUSIVE'],
]);

type Declared = Pick<DesiredIndexBase, 'method' | 'options' | 'optionDefaults'>;

/** What ALTER INDEX has to set or reset. */
export const settingsFor = (desired: Declared, actual: Pick<IndexShape, 'options'>): readonly Setting[] =>
  optionDifferences(desired.options, actual.options, desired.optionDefaults).flatMap((difference) => {
    const lock = lockOf(desired, difference);
    return lock === null ? [] : [{ ...difference, lock }];
  });

/** How the options differ that only a build changes, in words, or null. */
export const builtOptionDifference = (desired: Declared, actual: Pick<IndexShape, 'options'>): string | null =>
  optionDifferences(desired.options, actual.options, desired.optionDefaults).find(
    (difference) => lockOf(desired, difference) === null,
  )?.words ?? null;

const lockOf = ({ method }: Declared, { option }: OptionDifference): LockMode | null =>
  method.extension === null ? (IN_PLACE.get(`${method.name} ${option}`) ?? null) : null;

/** A reason that options are a part of, or all. */
export const withSettings = (reason: string | null, settings: readonly Setting[]): string =>
  [...(reason === null ? [] : [reason]), ...settings.map(({ words }) => words)].join('; ');

/** The options that are not as declared, one at its default and one not given being the same. */
export function optionDifferences(
  desired: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
): readonly OptionDifference[] {
  return [...new Set([...Object.keys(desired), ...Object.keys(actual)])].flatMap((option) => {
    const standard = optionOf(defaults, option);
    const wanted = optionOf(desired, option) ?? standard;
    const found = optionOf(actual, option) ?? standard;
    if (wanted !== undefined && found !== undefined && sameOption(wanted, found)) return [];
    const words = `option ${option} is ${found ?? 'not set'}, declared ${wanted ?? 'not set'}`;
    return [{ option, value: optionOf(desired, option) ?? null, words }];
  });
}

/** An option that is called `constructor`, say, is none of what every object has. */
const optionOf = (options: Readonly<Record<string, string>>, option: string): string | undefined =>
  Object.hasOwn(options, option) ? options[option] : undefined;

/** Storage parameters are kept as typed (`064`, `of`): compared as what they mean. */
export function sameOption(left: string, right: string): boolean {
  if (left === right) return true;
  const [leftNumber, rightNumber] = [Number(left), Number(right)];
  if (left.trim() !== '' && right.trim() !== '' && !Number.isNaN(leftNumber) && !Number.isNaN(rightNumber))
    return leftNumber === rightNumber;
  const [leftBoolean, rightBoolean] = [asBoolean(left), asBoolean(right)];
  return leftBoolean !== null && leftBoolean === rightBoolean;
}

/** parse_bool of PostgreSQL: 1, 0 and unique prefixes of true, false, yes, no, on, off, in any case. */
function asBoolean(text: string): boolean | null {
  const value = text.toLowerCase();
  if (value === '1') return true;
  if (value === '0') return false;
  if (value === '' || value === 'o') return null;
  const [word] = ['true', 'false', 'yes', 'no', 'on', 'off'].filter((candidate) => candidate.startsWith(value));
  return word === undefined ? null : word === 'true' || word === 'yes' || word === 'on';
}

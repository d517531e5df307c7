import { closest, shown, suggestion } from '../did-you-mean.js';
import type { DesiredExtension, DesiredIndexBase, DesiredTable } from './model.js';
import type { Problems } from './problems.js';

/** What PostgreSQL's own access methods can do besides, as pg_indexam_has_property tells. */
const OWN: Readonly<Record<string, readonly Feature[]>> = {
  btree: ['a unique index', 'an order of keys', 'included columns', 'several keys'],
  gist: ['included columns', 'several keys'],
  spgist: ['included columns'],
  gin: ['several keys'],
  brin: ['several keys'],
  hash: [],
};

type Feature = 'a unique index' | 'an order of keys' | 'included columns' | 'several keys';

/** The most columns of an index: INDEX_MAX_KEYS of a server that nobody compiled otherwise. */
const MOST_COLUMNS = 32;

/**
 * Notes methods that neither PostgreSQL nor a declared extension brings, and what PostgreSQL's own cannot do: each tenant
 * would fail at the same statement. What an extension's method can do only the server knows.
 */
export function checkMethods(
  tables: readonly DesiredTable[],
  extensions: readonly DesiredExtension[],
  problems: Problems,
): void {
  const declared = extensions.map(({ name }) => name);
  const check = (index: DesiredIndexBase, what: string): void => {
    const { name, extension } = index.method;
    const invalid = (message: string, remedy: string) => problems.invalid(`${what} ${message}`, index.source, remedy);
    const columns = index.keys.length + index.include.length;
    if (columns > MOST_COLUMNS)
      invalid(`has ${columns} columns; an index has at most ${MOST_COLUMNS}`, 'leave some out');
    if (extension !== null) {
      if (declared.includes(extension)) return;
      invalid(
        `takes its method from the extension ${shown(extension)}, which extensions does not list`,
        closest(extension, declared) === null ? 'list it under extensions' : suggestion(extension, declared),
      );
      return;
    }
    const features = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
    if (features === undefined) {
      invalid(
        `is of the method ${shown(name)}, which PostgreSQL has not by itself`,
        `its own are ${Object.keys(OWN).join(', ')}; an extension's is named with it: method: { name: ${name}, extension: … }`,
      );
      return;
    }
    for (const feature of usedBy(index))
      if (!features.includes(feature))
        invalid(`asks for ${feature}, which the method ${name} has not`, 'leave it out, or take another method');
  };
  for (const table of tables) {
    for (const index of table.indexes) check(index, `index ${shown(index.name)}`);
    for (const family of table.families) check(family, `index family ${shown(family.label)}`);
  }
}

function usedBy(index: DesiredIndexBase): readonly Feature[] {
  const used: readonly (readonly [Feature, boolean])[] = [
    ['a unique index', index.unique],
    ['an order of keys', index.keys.some(({ order, nulls }) => order === 'desc' || nulls === 'first')],
    ['included columns', index.include.length > 0],
    ['several keys', index.keys.length > 1],
  ];
  return used.flatMap(([feature, is]) => (is ? [feature] : []));
}

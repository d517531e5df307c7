import { shown, suggestion } from '../did-you-mean.js';
import type { ProbeDocument, TablesDocument } from './documents.js';
import type { DesiredProbe, ServingIndex } from './probe.js';
import { isProbeSetting } from './probe-settings.js';
import { setsOf } from './read-families.js';
import { join, type Reading, type Sets } from './reading.js';
import { keyAt, type Place, valueAt, within } from './yaml-file.js';

/** Up to so many rows an exact scan is as good as an index, where a probe does not say. */
const EXACT_ROWS = 10_000;

const ROW = 'row';
const PARTITION = 'partition';

/** The probes of a file. */
export function readProbes(document: TablesDocument, root: Place, reading: Reading): readonly DesiredProbe[] {
  const names = new Set<string>();
  return (document.probes ?? []).flatMap((probe, number) => {
    const at = within(root, 'probes', number);
    if (!reading.active(probe, at)) return [];
    if (names.has(probe.name))
      reading.invalid(`two probes are named ${shown(probe.name)}`, within(at, 'name'), 'rename one');
    names.add(probe.name);
    return readProbe(probe, document, at, reading);
  });
}

function readProbe(
  probe: ProbeDocument,
  document: TablesDocument,
  at: Place,
  reading: Reading,
): readonly DesiredProbe[] {
  const served = readServed(probe, document, at, reading);
  const row = Object.entries(probe.row ?? {}).map(
    ([name, text]) => [name, reading.sql('expression', text, within(at, ROW, name), true)] as const,
  );
  const settings = Object.entries(probe.settings ?? {}).map(([name, value]) => {
    const place = within(at, 'settings', name);
    if (!isProbeSetting(name)) {
      reading.problems.invalid(
        `a probe may not set ${shown(name)}`,
        keyAt(place),
        'set what decides a plan: settings of the planner, and those of extensions (`prefix.name`)',
      );
    }
    return [name, reading.text(value, place)] as const;
  });
  if (served === null) return [];
  const sets: Sets = new Map([...served.sets, [PARTITION, probe.partition ?? []], [ROW, Object.keys(probe.row ?? {})]]);
  return [
    {
      name: probe.name,
      phase: reading.phase,
      description: probe.description ?? null,
      table: probe.table,
      serves: served.serves,
      partition: probe.partition ?? [],
      row: Object.fromEntries(row),
      query: reading.sqlParts('query', probe.query, within(at, 'query'), sets).parts,
      settings: Object.fromEntries(settings),
      exactRows:
        probe.exact_rows === undefined ? EXACT_ROWS : reading.count(probe.exact_rows, within(at, 'exact_rows')),
      source: valueAt(at),
    },
  ];
}

interface Served {
  readonly serves: ServingIndex;
  /** Sets of the family. */
  readonly sets: Sets;
}

/** The family or index that should serve; it stands in the same file, so that a backend's probes are about its own. */
function readServed(probe: ProbeDocument, document: TablesDocument, at: Place, reading: Reading): Served | null {
  if ((probe.family === undefined) === (probe.index === undefined)) {
    reading.invalid(
      'a probe names either the family or the index that should serve it',
      at,
      'give one of family and index',
    );
    return null;
  }
  const table = document.tables?.[probe.table];
  if (table === undefined) {
    const known = Object.keys(document.tables ?? {});
    reading.invalid(
      `this file has no table ${shown(probe.table)}`,
      within(at, 'table'),
      suggestion(probe.table, known),
    );
    return null;
  }
  if (probe.index !== undefined) {
    const known = (table.indexes ?? []).map((index) => index.name);
    if (known.includes(probe.index)) {
      return { serves: { kind: 'index', name: reading.name(probe.index, within(at, 'index')) }, sets: new Map() };
    }
    unknown('index', probe.index, known, at, reading);
    return null;
  }
  const label = probe.family ?? '';
  const families = table.index_families ?? [];
  const family = families.find((one) => one.name === label);
  if (family === undefined) {
    unknown(
      'family',
      label,
      families.map((one) => one.name),
      at,
      reading,
    );
    return null;
  }
  if (probe.partition !== undefined) {
    reading.invalid('the members of the family are the partitions', within(at, PARTITION), 'remove partition');
  }
  const sets = setsOf(family);
  const taken = [ROW, PARTITION].find((name) => sets.has(name));
  if (taken !== undefined) {
    reading.invalid(
      `the family has a set ${shown(taken)}, which a probe needs for itself`,
      within(at, 'family'),
      'rename the set',
    );
  }
  return { serves: { kind: 'family', label: join(reading.nameParts(label, within(at, 'family'), sets)) }, sets };
}

function unknown(key: 'family' | 'index', name: string, known: readonly string[], at: Place, reading: Reading): void {
  const what = key === 'family' ? 'index family' : 'index';
  reading.invalid(`the table has no ${what} ${shown(name)} in this file`, within(at, key), suggestion(name, known));
}

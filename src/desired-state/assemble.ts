import { compareVersions } from '../compare-versions.js';
import { shown, suggestion } from '../did-you-mean.js';
import type { DesiredExtension, DesiredTable, SourcePosition } from './model.js';
import { type Problems, showPlace } from './problems.js';

/**
 * Unites the parts that the phases' files give of each table. `fixed` holds the phases that have one file: where there
 * are any, a backend may add to their tables but bring none of its own, which would change with the backend.
 */
export function uniteTables(
  parts: readonly DesiredTable[],
  fixed: ReadonlySet<string>,
  problems: Problems,
): readonly DesiredTable[] {
  const united = new Map<string, DesiredTable>();
  const declared = new Set(parts.filter((part) => fixed.has(part.phase)).map((part) => part.name));
  for (const part of parts) {
    if (fixed.size > 0 && !declared.has(part.name)) {
      problems.invalid(
        `${shown(part.name)} is no table of ${[...fixed].join(' or ')}: a backend adds to tables, it brings none`,
        part.source,
        suggestion(part.name, declared),
      );
      // All that names its columns would be an error as well.
      continue;
    }
    const before = united.get(part.name);
    united.set(part.name, before === undefined ? part : merge(before, part, problems));
  }
  for (const table of united.values()) checkTable(table, problems);
  return [...united.values()].map(withKeyColumnsNotNull);
}

function merge(before: DesiredTable, part: DesiredTable, problems: Problems): DesiredTable {
  if (before.kind !== part.kind) {
    problems.invalid(
      `${shown(part.name)} is a ${words(before)} at ${showPlace(before.source)}`,
      part.source,
      'give it another name',
    );
    return before;
  }
  if (before.view !== null && part.view !== null) {
    problems.invalid(
      `the query of ${shown(part.name)} is given twice, first at ${showPlace(before.source)}`,
      part.source,
      'keep one',
    );
  }
  return {
    ...before,
    persistence: before.persistence === 'unlogged' ? 'unlogged' : part.persistence,
    columns: [...before.columns, ...part.columns],
    constraints: [...before.constraints, ...part.constraints],
    indexes: [...before.indexes, ...part.indexes],
    families: [...before.families, ...part.families],
    view: before.view ?? part.view,
  };
}

function checkTable(table: DesiredTable, problems: Problems): void {
  unique(table.columns, 'the column', table, problems);
  unique(table.constraints, 'the constraint', table, problems);
  const keys = table.constraints.filter((constraint) => constraint.kind === 'primary-key');
  for (const key of keys.slice(1)) {
    problems.invalid(`${shown(table.name)} has two primary keys`, key.source, 'keep one');
  }
  if (table.kind === 'table' && table.columns.length === 0) {
    problems.invalid(`table ${shown(table.name)} has no columns`, table.source, 'declare its columns');
  }
  if (table.kind === 'materialized-view' && table.view === null) {
    problems.invalid(`materialized view ${shown(table.name)} has no query`, table.source, 'add query');
  }
}

function unique(
  entries: readonly { readonly name: string; readonly source: SourcePosition }[],
  what: string,
  table: DesiredTable,
  problems: Problems,
): void {
  const seen = new Map<string, SourcePosition>();
  for (const { name, source } of entries) {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, source);
    else
      problems.invalid(
        `${what} ${shown(name)} of ${shown(table.name)} is declared twice, first at ${showPlace(first)}`,
        source,
        'keep one',
      );
  }
}

/** A primary key makes its columns NOT NULL, whatever their own declaration leaves out. */
function withKeyColumnsNotNull(table: DesiredTable): DesiredTable {
  const keys = table.constraints.flatMap((constraint) => (constraint.kind === 'primary-key' ? constraint.columns : []));
  return {
    ...table,
    columns: table.columns.map((column) => (keys.includes(column.name) ? { ...column, notNull: true } : column)),
  };
}

/** The entries of the tables that belong to one of `phases`; a table of which none is left drops out. */
export function onlyPhases(tables: readonly DesiredTable[], phases: ReadonlySet<string>): readonly DesiredTable[] {
  return tables.flatMap((table) => {
    const mine = <T extends { readonly phase: string }>(entries: readonly T[]): readonly T[] =>
      entries.filter((entry) => phases.has(entry.phase));
    const kept = {
      ...table,
      columns: mine(table.columns),
      constraints: mine(table.constraints),
      indexes: mine(table.indexes),
      families: mine(table.families),
    };
    const any = kept.columns.length + kept.constraints.length + kept.indexes.length + kept.families.length > 0;
    return any || phases.has(table.phase) ? [kept] : [];
  });
}

/** Each extension once, with the greater of the versions that its declarations ask for. */
export function uniteExtensions(
  extensions: readonly DesiredExtension[],
  problems: Problems,
): readonly DesiredExtension[] {
  const united = new Map<string, DesiredExtension>();
  for (const extension of extensions) {
    const before = united.get(extension.name);
    if (before !== undefined && before.schema !== extension.schema) {
      problems.invalid(
        `extension ${shown(extension.name)} is declared in another schema at ${showPlace(before.source)}`,
        extension.source,
        'declare it in one schema',
      );
    }
    if (before === undefined) united.set(extension.name, extension);
    else {
      const minVersion = later(before.minVersion, extension.minVersion) ? before.minVersion : extension.minVersion;
      united.set(extension.name, {
        ...before,
        minVersion,
        schemas: [...new Set([...before.schemas, ...extension.schemas])],
        preload: before.preload ?? extension.preload,
      });
    }
  }
  return [...united.values()];
}

function later(a: string | null, b: string | null): boolean {
  if (b === null) return true;
  return a !== null && compareVersions(a, b) >= 0;
}

const words = (table: DesiredTable): string => (table.kind === 'table' ? 'table' : 'materialized view');

import { checkBuildSettings } from './build-settings.js';
import type { TablesDocument } from './documents.js';
import type { DesiredExtension, DesiredTable } from './model.js';
import type { DesiredProbe } from './probe.js';
import { readColumns } from './read-columns.js';
import { readConstraints } from './read-constraints.js';
import { readFamilies } from './read-families.js';
import { readIndexes } from './read-indexes.js';
import { readProbes } from './read-probes.js';
import type { Reading } from './reading.js';
import { keyAt, type Place, valueAt, within, type YamlFile } from './yaml-file.js';

/** What one file says: its part of each table that it names, and the extensions that it needs. */
export interface FileContent {
  readonly tables: readonly DesiredTable[];
  readonly extensions: readonly DesiredExtension[];
  readonly probes: readonly DesiredProbe[];
}

/** Reads a phase's or backend's file into the model, its parameters filled in. */
export function readTables(document: TablesDocument, file: YamlFile, reading: Reading): FileContent {
  const root: Place = { file, path: [] };
  checkBuildSettings(document.build_settings ?? {}, within(root, 'build_settings'), reading);
  return {
    probes: readProbes(document, root, reading),
    tables: [...tableParts(document, root, reading), ...viewParts(document, root, reading)],
    extensions: (document.extensions ?? []).flatMap((extension, index) => {
      const at = within(root, 'extensions', index);
      if (!reading.active(extension, at)) return [];
      return [
        {
          name: reading.name(extension.name, within(at, 'name')),
          phase: reading.phase,
          schema: extension.schema === undefined ? null : reading.name(extension.schema, within(at, 'schema')),
          minVersion: extension.min_version ?? null,
          schemas: extension.schemas ?? [],
          preload: extension.preload ?? null,
          source: valueAt(at),
        },
      ];
    }),
  };
}

function tableParts(document: TablesDocument, root: Place, reading: Reading): readonly DesiredTable[] {
  return Object.entries(document.tables ?? {}).flatMap(([name, table]): readonly DesiredTable[] => {
    const at = within(root, 'tables', name);
    if (!reading.active(table, at)) return [];
    return [
      {
        name: reading.key(name, at),
        phase: reading.phase,
        kind: 'table',
        persistence: table.unlogged === true ? 'unlogged' : 'permanent',
        columns: readColumns(table, at, reading),
        constraints: readConstraints(table, at, reading),
        indexes: readIndexes(table.indexes, within(at, 'indexes'), reading),
        families: readFamilies(table.index_families, within(at, 'index_families'), reading),
        view: null,
        source: keyAt(at),
      },
    ];
  });
}

function viewParts(document: TablesDocument, root: Place, reading: Reading): readonly DesiredTable[] {
  return Object.entries(document.materialized_views ?? {}).flatMap(([name, view]): readonly DesiredTable[] => {
    const at = within(root, 'materialized_views', name);
    if (!reading.active(view, at)) return [];
    const query = view.query === undefined ? null : reading.sql('query', view.query, within(at, 'query'));
    return [
      {
        name: reading.key(name, at),
        phase: reading.phase,
        kind: 'materialized-view',
        persistence: 'permanent',
        columns: [],
        constraints: [],
        indexes: readIndexes(view.indexes, within(at, 'indexes'), reading),
        families: [],
        view: query === null ? null : { query, withData: view.with_data ?? true },
        source: keyAt(at),
      },
    ];
  });
}

import type { Deferrable } from '../shape/table-shape.js';
import type { ForeignKeyDocument, KeyDocument, TableDocument } from './documents.js';
import type { DesiredConstraint } from './model.js';
import type { Reading } from './reading.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** A table's primary key, unique and check constraints and foreign keys, in this order. */
export function readConstraints(table: TableDocument, place: Place, reading: Reading): readonly DesiredConstraint[] {
  return [
    ...(table.primary_key === undefined
      ? []
      : readKey('primary-key', table.primary_key, within(place, 'primary_key'), reading)),
    ...(table.unique ?? []).flatMap((key, index) => readKey('unique', key, within(place, 'unique', index), reading)),
    ...readChecks(table, place, reading),
    ...readForeignKeys(table, place, reading),
  ];
}

function readKey(
  kind: 'primary-key' | 'unique',
  key: KeyDocument,
  at: Place,
  reading: Reading,
): readonly DesiredConstraint[] {
  if (!reading.active(key, at)) return [];
  return [
    {
      kind,
      name: reading.name(key.name, within(at, 'name')),
      columns: key.columns,
      include: key.include ?? [],
      nullsNotDistinct: key.nulls_not_distinct ?? false,
      deferrable: DEFERRABLE[key.deferrable ?? 'no'],
      validated: true,
      indexValid: true,
      replicaIdentity: false,
      phase: reading.phase,
      source: valueAt(at),
    },
  ];
}

function readChecks(table: TableDocument, place: Place, reading: Reading): readonly DesiredConstraint[] {
  return (table.checks ?? []).flatMap((check, index): readonly DesiredConstraint[] => {
    const at = within(place, 'checks', index);
    if (!reading.active(check, at)) return [];
    return [
      {
        kind: 'check',
        name: reading.name(check.name, within(at, 'name')),
        expression: reading.sql('expression', check.expression, within(at, 'expression')),
        noInherit: check.no_inherit ?? false,
        validated: true,
        phase: reading.phase,
        source: valueAt(at),
      },
    ];
  });
}

function readForeignKeys(table: TableDocument, place: Place, reading: Reading): readonly DesiredConstraint[] {
  return (table.foreign_keys ?? []).flatMap((key, index): readonly DesiredConstraint[] => {
    const at = within(place, 'foreign_keys', index);
    if (!reading.active(key, at)) return [];
    return [
      {
        kind: 'foreign-key',
        name: reading.name(key.name, within(at, 'name')),
        columns: key.columns,
        references: readReference(key.references, within(at, 'references'), reading),
        referencedColumns: key.references.columns,
        onUpdate: key.on_update ?? 'no action',
        onDelete: key.on_delete ?? 'no action',
        match: key.match ?? 'simple',
        deferrable: DEFERRABLE[key.deferrable ?? 'no'],
        validated: true,
        phase: reading.phase,
        source: valueAt(at),
      },
    ];
  });
}

const readReference = ({ schema, table }: ForeignKeyDocument['references'], at: Place, reading: Reading) => ({
  schema: schema === undefined ? null : reading.name(schema, within(at, 'schema')),
  table,
});

const DEFERRABLE: Readonly<Record<NonNullable<KeyDocument['deferrable']>, Deferrable>> = {
  no: 'no',
  'initially immediate': 'immediate',
  'initially deferred': 'deferred',
};

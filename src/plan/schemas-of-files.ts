import { oncePerObject } from '../collections.js';
import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredIndexBase, DesiredTable } from '../desired-state/model.js';
import type { FragmentKind } from '../sql/fragments.js';
import { schemasNamedIn } from '../sql/schema-names.js';

type Fragment = readonly [kind: FragmentKind, text: string | null];

/**
 * The schemas that declarations name: of types, functions, sequences, collations and tables that tenants share. Statements are
 * made of these fragments, and one that was held up for a name that the files have could be made by no run.
 */
export async function schemasOfFiles(tables: readonly DesiredTable[]): Promise<readonly string[]> {
  return [...new Set((await Promise.all(tables.map(ofTable))).flat())].sort();
}

const ofTable = oncePerObject(async (table: DesiredTable): Promise<readonly string[]> => {
  const named = await Promise.all(
    fragments(table).map(([kind, text]) => (text === null ? [] : schemasNamedIn(kind, text))),
  );
  return [...named.flat(), ...sharedSchemas(table)];
});

/** The schemas that a table's foreign keys are onto, the tenant's own aside. */
export const sharedSchemas = ({ constraints }: DesiredTable): readonly string[] =>
  constraints.flatMap((one) => (one.kind === 'foreign-key' ? (one.references.schema ?? []) : []));

function fragments(table: DesiredTable): readonly Fragment[] {
  const { columns, constraints, indexes, families, view } = table;
  return [
    ...columns.flatMap((column): readonly Fragment[] => [
      ['type', column.type],
      ['expression', column.default],
      ['expression', column.generated?.expression ?? null],
      ['expression', collated(column.collation)],
    ]),
    ...constraints.flatMap((one): readonly Fragment[] =>
      one.kind === 'check' ? [['expression', one.expression]] : [],
    ),
    ...[...indexes, ...families].flatMap(keys),
    ...[...indexes, ...families.map(asOneIndex)].map(({ where }): Fragment => ['expression', where]),
    ['query', view?.query ?? null],
  ];
}

const keys = (index: DesiredIndexBase): readonly Fragment[] =>
  index.keys.flatMap((key): readonly Fragment[] => [
    ['expression', key.expression],
    ['operator-class', key.opclass],
    ['expression', collated(key.collation)],
  ]);

const collated = (collation: string | null): string | null => (collation === null ? null : `'' COLLATE ${collation}`);

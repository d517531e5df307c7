import { type ClassedKey, type ClassFault, readClassFaults } from '../catalog/index-classes.js';
import type { DatabasePlace } from '../database/database-place.js';
import type { Session } from '../database/session.js';
import type { DesiredTable, SourcePosition } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';
import { isKey } from '../shape/table-shape.js';
import { bareType } from '../sql/bare-type.js';
import { fragmentTree } from '../sql/fragments.js';
import { TENANT_SCHEMA } from '../sql/template.js';
import { list, names } from '../sql/tree.js';
import { TrueupError } from '../trueup-error.js';
import type { ExtensionCheck } from './check-extensions.js';
import { declaredAt, madeBy } from './made-objects.js';

interface MadeKey extends ClassedKey {
  readonly index: string;
  readonly over: string;
  readonly phase: string;
  readonly source: SourcePosition;
}

/**
 * The columns of indexes that changes are to build must be of types that the operator classes are for: else every tenant would
 * fail at the same statement. Asked only about indexes that are to be built.
 * @throws {TrueupError} DESIRED_STATE_INVALID, once, naming the index.
 */
export async function checkMadeIndexes(
  session: Session,
  tables: readonly DesiredTable[],
  changes: Iterable<Change>,
  { database, extensions }: { readonly database: DatabasePlace; readonly extensions: ExtensionCheck },
): Promise<void> {
  // Which classes an extension will bring, nobody knows before it is there.
  if (extensions.changes.length > 0) return;
  const isMade = madeBy(changes, MAKES);
  const keys = (await Promise.all(tables.map((table) => keysOf(table, (object) => isMade(table.name, object))))).flat();
  const [[at, fault] = []] = await readClassFaults(session, keys);
  const key = at === undefined ? undefined : keys[at];
  if (key === undefined || fault === undefined) return;
  const [problem, remedy] = told(fault, key);
  throw new TrueupError('DESIRED_STATE_INVALID', `${key.index} cannot be: ${problem}`, {
    where: declaredAt(database, key.phase, key.source),
    remedy,
  });
}

const MAKES = /^(?:(?:create|rebuild)-index|(?:add|replace)-constraint|create-table)$/u;

function told(fault: ClassFault, { method, opclass, over }: MadeKey): readonly [problem: string, remedy: string] {
  const named = `the method ${method} has no operator class ${opclass?.name}`;
  switch (fault) {
    case 'missing':
      return [named, 'correct the name or the method; where an extension brings it, declare the extension'];
    case 'misfit':
      return [`${named} for ${over}`, 'name one that is for the type, or leave opclass out for its default'];
    case 'no default':
      return [
        `the method ${method} has no default operator class for ${over}`,
        'name one that is for the type (opclass), or take another method or type',
      ];
  }
}

/** The columns that indexes, families and keys of a table are over, of those that are to be made. */
async function keysOf(table: DesiredTable, isMade: (object: string) => boolean): Promise<readonly MadeKey[]> {
  const isNew = isMade(table.name);
  const built = [
    ...table.indexes.filter(({ name }) => isMade(name)).map((index) => ({ ...index, called: `index "${index.name}"` })),
    ...table.families
      .filter(({ label }) => isMade(label))
      .map((family) => ({ ...family, called: `index family "${family.label}"` })),
    ...table.constraints
      .filter(isKey)
      .filter(({ name }) => isNew || isMade(name))
      .map(({ name, columns, phase, source }) => ({
        called: `constraint "${name}"`,
        method: { name: 'btree' },
        keys: columns.map((column) => ({ column, opclass: null })),
        phase,
        source,
      })),
  ];
  const keys = built.flatMap(({ called, method, keys: of, phase, source }) =>
    of.map(async ({ column, opclass }): Promise<readonly MadeKey[]> => {
      const declared = table.columns.find(({ name }) => name === column);
      const type = declared === undefined ? null : await bareType(declared.type);
      const named = opclass === null ? null : await classOf(opclass);
      // A tenant may hold types and classes of its own.
      if (declared === undefined || type === null || [type.schema, named?.schema].includes(TENANT_SCHEMA)) return [];
      const over = `${table.name}.${declared.name}, which is ${declared.type}`;
      return [{ index: called, method: method.name, opclass: named, type, over, phase, source }];
    }),
  );
  return (await Promise.all(keys)).flat();
}

async function classOf(opclass: string): Promise<{ readonly schema: string; readonly name: string }> {
  const { tree } = await fragmentTree('operator-class', opclass);
  const [name = '', schema = 'pg_catalog'] = [...names(list(tree, 'names'))].reverse();
  return { schema, name };
}

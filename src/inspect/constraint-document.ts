import type { CheckDocument, ForeignKeyDocument, KeyDocument } from '../desired-state/documents.js';
import type {
  CheckConstraintShape,
  ConstraintShape,
  Deferrable,
  ForeignKeyShape,
  KeyConstraintShape,
} from '../shape/table-shape.js';
import { escaped, isNameSayable, said } from './sayable.js';

/** A constraint as the format declares it, or why it cannot. */
export async function constraintDocument(
  constraint: ConstraintShape,
): Promise<{ readonly document: KeyDocument | CheckDocument | ForeignKeyDocument } | { readonly why: string }> {
  if (!isNameSayable(constraint.name)) return { why: 'its name holds a control character' };
  if (!constraint.validated) return { why: 'it is NOT VALID, and the format declares what holds for every row' };
  switch (constraint.kind) {
    case 'primary-key':
    case 'unique':
      return constraint.indexValid
        ? { document: keyDocument(constraint) }
        : { why: 'its index is INVALID: the leftover of a build that failed' };
    case 'check':
      return checkDocument(constraint);
    case 'foreign-key':
      return foreignKeyDocument(constraint);
    default:
      return { why: 'the format has no constraints of its kind' };
  }
}

const keyDocument = (key: KeyConstraintShape): KeyDocument => ({
  name: escaped(key.name),
  columns: key.columns,
  ...(key.include.length === 0 ? {} : { include: key.include }),
  ...(key.nullsNotDistinct ? { nulls_not_distinct: true } : {}),
  ...deferrable(key.deferrable),
});

async function checkDocument(check: CheckConstraintShape) {
  const expression = await said('expression', check.expression);
  if ('why' in expression) return expression;
  const name = escaped(check.name);
  return { document: { name, expression: expression.text, ...(check.noInherit ? { no_inherit: true } : {}) } };
}

function foreignKeyDocument(key: ForeignKeyShape) {
  const { match } = key;
  if (match === 'partial') return { why: 'it is MATCH PARTIAL' };
  const { schema, table } = key.references;
  if (![schema ?? '', table, ...key.referencedColumns].every(isNameSayable))
    return { why: 'the name of what it references holds a control character' };
  return {
    document: {
      name: escaped(key.name),
      columns: key.columns,
      references: {
        ...(schema === null ? {} : { schema: escaped(schema) }),
        table,
        columns: key.referencedColumns,
      },
      ...(key.onDelete === 'no action' ? {} : { on_delete: key.onDelete }),
      ...(key.onUpdate === 'no action' ? {} : { on_update: key.onUpdate }),
      ...(match === 'full' ? { match } : {}),
      ...deferrable(key.deferrable),
    },
  };
}

const deferrable = (of: Deferrable): Pick<KeyDocument, 'deferrable'> =>
  of === 'no' ? {} : { deferrable: of === 'immediate' ? 'initially immediate' : 'initially deferred' };

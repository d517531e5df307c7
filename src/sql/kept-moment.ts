import { fragmentTree } from './fragments.js';
import { as, child, type KindedNode, list, type Node, names, ownName, text, walk } from './tree.js';

/** What to write for the words of date and time input that mean the moment at which they are read. */
const MEANT = new Map([
  ['now', 'now()'],
  ['today', 'CURRENT_DATE'],
  ['tomorrow', 'CURRENT_DATE + 1'],
  ['yesterday', 'CURRENT_DATE - 1'],
]);
const WORD = /\b(?:now|today|tomorrow|yesterday)\b/iu;

/** A word of which the server keeps the moment at which it was read, and what to write instead. */
export interface KeptMoment {
  readonly word: string;
  readonly meant: string;
}

/**
 * The first text of an expression that PostgreSQL reads as a date or time while the statement runs, and that means that very
 * moment: a constant is stored, which differs from what is declared for ever. What stays text (`'now'::text`) is none.
 * @param type the type that the whole expression is to become, where there is one
 */
export async function keptMoment(
  expression: string,
  type: string | null,
  columns: readonly { readonly name: string; readonly type: string }[],
): Promise<KeptMoment | null> {
  if (!WORD.test(expression)) return null;
  const { tree } = await fragmentTree('expression', expression);
  const timed = new Set<string>();
  for (const column of columns) if (await isTimed(column.type)) timed.add(column.name);
  const read: unknown[] = type !== null && (await isTimed(type)) ? [tree] : [];
  walk(tree, (node) => read.push(...readAsTimes(node, timed)));
  for (const value of read) {
    const literal = child(as('A_Const', value) ?? {}, 'sval');
    const word = WORD.exec(text(literal ?? {}, 'sval') ?? '')?.[0];
    const meant = MEANT.get(word?.toLowerCase() ?? '');
    if (word !== undefined && meant !== undefined) return { word, meant };
  }
  return null;
}

/** What at a node is read as a date or time: under a cast to one, beside such a column, before AT TIME ZONE. */
function readAsTimes({ kind, body }: KindedNode, timed: ReadonlySet<string>): readonly unknown[] {
  switch (kind) {
    case 'TypeCast':
      return isTimedName(child(body, 'typeName') ?? {}) ? [body.arg] : [];
    case 'FuncCall':
      return ownName(list(body, 'funcname')) === 'timezone' ? list(body, 'args').slice(1) : [];
    case 'A_Expr': {
      // Beside `||` it stays text.
      if ([null, '||'].includes(ownName(list(body, 'name')))) return [];
      const several = as('List', body.rexpr);
      const operands = [body.lexpr, ...(several === null ? [body.rexpr] : list(several, 'items'))];
      return operands.some((operand) => timed.has(names(list(as('ColumnRef', operand) ?? {}, 'fields')).join('.')))
        ? operands
        : [];
    }
    default:
      return [];
  }
}

const isTimed = async (type: string): Promise<boolean> => isTimedName((await fragmentTree('type', type)).tree);

/** @param type a TypeName */
const isTimedName = (type: Node): boolean =>
  /^(?:date|time(?:stamp)?(?:tz)?)$/u.test(ownName(list(type, 'names')) ?? '');

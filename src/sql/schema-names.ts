import { type FragmentKind, fragmentTree } from './fragments.js';
import { tokenize } from './lexer.js';
import { objectNamed } from './object-names.js';
import type { Node } from './parser.js';
import { as, child, type KindedNode, list, names, text, walk } from './tree.js';

/** The schemas that a fragment names, by types, functions, operators, collations, and by what a string stands for. */
export async function schemasNamedIn(kind: FragmentKind, fragment: string): Promise<readonly string[]> {
  // Most fragments name none, and parsing them is what takes the time.
  if (!fragment.includes('.')) return [];
  const { tree } = await fragmentTree(kind, fragment);
  const found = new Set<string>();
  const note = ([schema, ...rest]: readonly string[]): void => {
    if (schema !== undefined && rest.length === 1) found.add(schema);
  };
  if (kind === 'operator-class') note(names(list(tree, 'names')));
  walk(kind === 'type' ? { TypeName: tree } : tree, (node) => namesOf(node).forEach(note));
  return [...found];
}

/** The names of types, functions, operators, collations and operator classes that a node itself holds, in their parts. */
export function namesOf(node: KindedNode): readonly (readonly string[])[] {
  const { kind, body } = node;
  const named = objectNamed(node)?.parts ?? [];
  switch (kind) {
    case 'FuncCall':
      return [...list(body, 'args').flatMap((argument) => namesInText(argument, named.at(-1) ?? '')), named];
    case 'TypeCast':
      return namesInText({ TypeCast: body }, '');
    case 'CollateClause':
      return [names(list(body, 'collname'))];
    case 'IndexElem':
      return [names(list(body, 'opclass')), names(list(body, 'collation'))];
    default:
      return [named];
  }
}

/** What a string that PostgreSQL reads as a name stands for: cast to a reg type, or an argument that is one. */
function namesInText(node: unknown, called: string): readonly (readonly string[])[] {
  const cast = as('TypeCast', node);
  const type = names(list(child(cast ?? {}, 'typeName') ?? {}, 'names')).at(-1) ?? '';
  const isName = /^reg/u.test(type) || /^(?:pg_get_serial_sequence|setval|nextval|currval)$/u.test(called);
  const constant: Node | null = isName ? as('A_Const', cast === null ? node : cast.arg) : null;
  const value = constant === null ? null : text(child(constant, 'sval') ?? {}, 'sval');
  const tokens = value === null ? [] : tokenize(value);
  return tokens.flatMap((token, index) => {
    const named = token.kind === 'word' || token.kind === 'quoted-name';
    return named && tokens[index + 1]?.text === '.' && tokens[index - 1]?.text !== '.' ? [[token.value, '']] : [];
  });
}

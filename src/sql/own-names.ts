import { fragmentTree } from './fragments.js';
import { tokenize } from './lexer.js';
import { foreignNames } from './object-names.js';
import { TENANT_SCHEMA, TENANT_SCHEMA_SQL } from './template.js';
import { as, child, list, names, text, walk } from './tree.js';

/** Something of the tenant's own schema, by its unquoted name. `relation`: what a string names that is read as a regclass. */
export interface OwnName {
  readonly kind: 'type' | 'function' | 'relation';
  readonly name: string;
}

/** What of the tenant's own schema a type or an expression needs to find there, each once. */
export async function ownNames(kind: 'type' | 'expression', fragment: string): Promise<readonly OwnName[]> {
  // Most name nothing of it, and parsing them is what takes the time.
  if (!fragment.includes(TENANT_SCHEMA_SQL)) return [];
  const found = new Map<string, OwnName>();
  const note = (name: OwnName) => found.set(`${name.kind} ${name.name}`, name);
  for (const { kind: of, schema, name } of await foreignNames(kind, fragment))
    if (schema === TENANT_SCHEMA && of !== 'operator') note({ kind: of, name });
  if (kind === 'expression')
    walk((await fragmentTree(kind, fragment)).tree, ({ kind: of, body }) => {
      const named =
        of === 'FuncCall' && isLast(/^(?:nextval|currval|setval)$/u, list(body, 'funcname'))
          ? relationIn(list(body, 'args')[0])
          : of === 'TypeCast' && isLast(/^regclass$/u, list(child(body, 'typeName') ?? {}, 'names'))
            ? relationIn(body.arg)
            : null;
      if (named !== null) note({ kind: 'relation', name: named });
    });
  return [...found.values()];
}

const isLast = (pattern: RegExp, parts: readonly unknown[]): boolean => pattern.test(names(parts).at(-1) ?? '');

/** The relation of the tenant's schema that a string constant names. */
function relationIn(constant: unknown): string | null {
  const value = text(child(as('A_Const', constant) ?? {}, 'sval') ?? {}, 'sval');
  const [schema, dot, relation, ...more] = value === null ? [] : tokenize(value);
  if (schema?.text !== TENANT_SCHEMA_SQL || dot?.text !== '.' || relation === undefined || more.length > 0) return null;
  return relation.kind === 'word' ? relation.value.toLowerCase() : relation.value;
}

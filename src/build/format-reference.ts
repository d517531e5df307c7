import { known } from '../collections.js';
import fleet from '../desired-state/schema/fleet.schema.json' with { type: 'json' };
import tables from '../desired-state/schema/tables.schema.json' with { type: 'json' };

/** As much of JSON Schema as the published schemas use. */
interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** A mapping with keys of its own, which has a table of its own. */
interface Section {
  readonly title: string;
  readonly schema: Schema;
}

const HEAD = `# Reference: the format of the desired state

Generated from the JSON Schemas ([fleet.schema.json](../src/desired-state/schema/fleet.schema.json),
[tables.schema.json](../src/desired-state/schema/tables.schema.json)) by \`npm run docs\`. What the files mean together, with
examples, is told in [desired-state.md](desired-state.md).
`;

/** docs/format-reference.md: every key of the files, as the schemas describe it. */
export function formatReference(): string {
  return [HEAD, pageOf('fleet.yaml', fleet as Schema), pageOf('Files of phases and backends', tables as Schema)].join(
    '\n',
  );
}

/** A file: its own keys, those of every mapping in it, and the kinds of values that have a name. */
function pageOf(title: string, root: Schema): string {
  const sections: Section[] = [{ title: 'The file', schema: root }];
  const words = new Map<string, Schema>();
  const text: string[] = [`## ${title}`, '', root.description ?? '', ''];
  const page = new Page(root, sections, words);
  // Sections are found while those before them are written.
  for (const section of sections) text.push(...page.section(section));
  if (words.size > 0) {
    text.push('### Values that have a name', '', '| value | meaning |', '|---|---|');
    for (const [name, { description }] of words) text.push(row(name, description ?? ''));
    text.push('');
  }
  return text.join('\n');
}

class Page {
  readonly #root: Schema;
  readonly #sections: Section[];
  readonly #words: Map<string, Schema>;

  constructor(root: Schema, sections: Section[], words: Map<string, Schema>) {
    this.#root = root;
    this.#sections = sections;
    this.#words = words;
  }

  section({ title, schema }: Section): readonly string[] {
    const told = schema.description === undefined ? [] : [schema.description, ''];
    const head = schema === this.#root ? [] : [`### ${title}`, '', ...told];
    const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
      const required = schema.required?.includes(key) === true ? ', required' : '';
      const meaning = property.description ?? this.#resolved(property).schema.description ?? '';
      return row(`\`${key}\`${required}`, this.#value(property, path(title, key, schema === this.#root)), meaning);
    });
    return [...head, '| key | value | meaning |', '|---|---|---|', ...rows, ''];
  }

  /** What may stand as a value; mappings with keys of their own get a section. */
  #value(property: Schema, title: string): string {
    const { schema, name } = this.#resolved(property);
    if (schema.title !== undefined) {
      if (schema.description !== undefined) this.#words.set(schema.title, schema);
      return schema.title;
    }
    if (schema.const !== undefined) return code(schema.const);
    if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
    return [schema.type ?? []]
      .flat()
      .map((type) => this.#ofType(type, schema, name === null ? title : wordsOf(name)))
      .join(' or ');
  }

  #ofType(type: string, schema: Schema, title: string): string {
    switch (type) {
      case 'string':
        return 'text';
      case 'array':
        return `list of ${schema.items === undefined ? 'anything' : plural(this.#value(schema.items, title))}`;
      case 'object':
        return this.#mapping(schema, title);
      default:
        return type;
    }
  }

  #mapping(schema: Schema, title: string): string {
    if (schema.properties !== undefined) {
      if (!this.#sections.some((one) => one.schema === schema)) this.#sections.push({ title, schema });
      return `[${title}](#${anchor(title)})`;
    }
    const { additionalProperties } = schema;
    if (typeof additionalProperties !== 'object') return 'mapping';
    return `mapping of names to ${this.#value(additionalProperties, title)}`;
  }

  #resolved(schema: Schema): { readonly schema: Schema; readonly name: string | null } {
    if (schema.$ref === undefined) return { schema, name: null };
    const name = schema.$ref.replace('#/definitions/', '');
    return { schema: known(this.#root.definitions?.[name], `the definition ${name}`), name };
  }
}

const path = (parent: string, key: string, atTop: boolean): string => (atTop ? key : `${parent}.${key}`);

/** `foreignKey` → `foreign key`. */
const wordsOf = (name: string): string => name.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`);

/** As GitHub makes the anchor of a heading. */
const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/gu, '')
    .replaceAll(' ', '-');

const plural = (value: string): string => (/^(?:text|integer|name)$/u.test(value) ? `${value}s` : value);

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** A row of a table; what has a meaning of its own in Markdown stands for itself. */
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`;

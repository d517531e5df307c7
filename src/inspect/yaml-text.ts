import { Document, isCollection, isMap, isPair, isScalar, isSeq, type Node, Scalar } from 'yaml';

/** A remark in front of an entry of a file. */
export interface Comment {
  /** Keys and places from the top. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Columns of text that an entry may fill and still stand on one line. */
const LINE = 110;
/** From this depth on (`tables`, a table, `columns`, a column) short entries stand on one line. */
const COMPACT = 3;

/** A file's text: the head as comments, then the document, in the order of its keys. */
export function yamlText(value: object, head: readonly string[], comments: readonly Comment[]): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  const { contents } = document;
  if (contents !== null) compact(contents, 0);
  for (const { path, text } of comments) remark(document, path, text);
  separate(contents);
  for (const group of ['tables', 'materialized_views']) separate(document.get(group));
  const lines = head.map((line) => (line === '' ? '#' : `# ${line}`));
  return `${lines.join('\n')}\n${document.toString({ lineWidth: 0, flowCollectionPadding: true })}`;
}

/** Lines of at most 118 columns; a word that is longer stands alone. */
export function wrapped(text: string): readonly string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [''];
    for (const word of printable(paragraph).split(' ')) {
      const line = lines.at(-1) ?? '';
      if (line !== '' && line.length + word.length > 116) lines.push(word);
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
    return lines;
  });
}

/** A name may hold a line's end, and what follows would no longer be a comment. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}|[\u2028\u2029]/gu, '?');

function compact(node: Node, depth: number): void {
  if (isScalar(node)) {
    if (typeof node.value === 'string' && node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
    return;
  }
  if (!isCollection(node)) return;
  const short = JSON.stringify(node.toJSON()).length + 2 * depth < LINE && !hasBreak(node);
  const listed = isSeq(node) && node.items.every(isScalar);
  if (short && (depth > COMPACT || (depth === COMPACT && isMap(node) && node.has('name')) || listed)) {
    node.flow = true;
    return;
  }
  for (const item of node.items) {
    const inner = isPair(item) ? item.value : item;
    if (isNode(inner)) compact(inner, depth + 1);
  }
}

/** A blank line between the entries of a mapping. */
function separate(node: unknown): void {
  for (const item of isMap(node) ? node.items.slice(1) : []) if (isNode(item.key)) item.key.spaceBefore = true;
}

function hasBreak(node: Node): boolean {
  return JSON.stringify(node).includes('\\n');
}

function remark(document: Document, path: readonly (string | number)[], text: string): void {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  const comment = wrapped(text)
    .map((line) => ` ${line}`)
    .join('\n');
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (isNode(pair?.key)) pair.key.commentBefore = comment;
  } else if (isSeq(parent) && typeof last === 'number') {
    const item = parent.items[last];
    if (isNode(item)) item.commentBefore = comment;
  }
}

const isNode = (value: unknown): value is Node => isScalar(value) || isCollection(value as Node);

import { Document, isCollection, isMap, isPair, isScalar, isSeq, type Node, Scalar } from 'yaml';
import { speltOut } from '../spelt-out.js';

/** A remark in front of an entry of a file. */
export interface Comment {
  /** Keys and places from the top. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Columns of text that an entry may fill and still stand on one line. */
const LINE = 110;
/** Which entries stand on one line where they are short; lists of plain values always do. */
export type OnOneLine = (path: readonly (string | number)[]) => boolean;

/** A file's text: the head as comments, then the document, in the order of its keys. */
export function yamlText(
  value: object,
  head: readonly string[],
  comments: readonly Comment[],
  onOneLine: OnOneLine,
): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  const { contents } = document;
  if (contents !== null) compact(contents, [], onOneLine);
  for (const { path, text } of comments) remark(document, path, text);
  separate(contents);
  for (const group of ['tables', 'materialized_views']) separate(document.get(group));
  const lines = head.map((line) => (line === '' ? '#' : `# ${line}`));
  return `${lines.join('\n')}\n${document.toString({ lineWidth: 0, flowCollectionPadding: true })}`;
}

/**
 * Lines of at most 118 columns; a word that is longer stands alone. A name may hold what ends a line for YAML, and what
 * follows would no longer be a comment: it is spelt out.
 */
export function wrapped(text: string): readonly string[] {
  return text.split('\n').flatMap((paragraph) => {
    // Indented: an example, which stays as it is.
    if (paragraph.startsWith(' ')) return [speltOut(paragraph)];
    const lines: string[] = [''];
    for (const word of speltOut(paragraph).split(' ')) {
      const line = lines.at(-1) ?? '';
      if (line !== '' && line.length + word.length > 116) lines.push(word);
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
    return lines;
  });
}

function compact(node: Node, path: readonly (string | number)[], onOneLine: OnOneLine): void {
  if (isScalar(node)) {
    if (typeof node.value === 'string' && node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
    return;
  }
  if (!isCollection(node)) return;
  const text = JSON.stringify(node.toJSON());
  const short = text.length + 2 * path.length < LINE && !text.includes('\\n');
  if (short && (onOneLine(path) || (isSeq(node) && node.items.every(isScalar)))) {
    node.flow = true;
    return;
  }
  for (const [at, item] of node.items.entries()) {
    const inner = isPair(item) ? item.value : item;
    const step = isPair(item) ? String(isScalar(item.key) ? item.key.value : item.key) : at;
    if (isNode(inner)) compact(inner, [...path, step], onOneLine);
  }
}

/** A blank line between the entries of a mapping. */
function separate(node: unknown): void {
  for (const item of isMap(node) ? node.items.slice(1) : []) if (isNode(item.key)) item.key.spaceBefore = true;
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

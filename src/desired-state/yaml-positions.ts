import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { oncePerObject } from '../collections.js';
import type { SourcePosition } from './model.js';
import type { Path, YamlFile } from './yaml-file.js';

/** A parsed document as a file that knows where its values stand. @param at turns an offset of the text into a place */
export function located(
  name: string,
  document: Document,
  content: unknown,
  text: string,
  at: (offset: number) => SourcePosition,
): YamlFile {
  const find = (path: Path): { readonly key: Node | null; readonly value: Node | null } => {
    let key: Node | null = null;
    let value: Node | null = document.contents as Node | null;
    for (const segment of path) {
      const container: Node | null | undefined = isAlias(value) ? value.resolve(document) : value;
      let next: Node | null = null;
      if (isMap(container)) {
        const pair = pairsByKey(container).get(String(segment));
        if (pair === undefined) break;
        key = pair.key as Node;
        next = pair.value as Node | null;
      } else if (isSeq(container) && typeof segment === 'number') {
        const item = container.items[segment];
        if (item === undefined) break;
        key = item as Node;
        next = item as Node;
      } else break;
      value = next ?? key;
    }
    return { key, value };
  };
  const start = (node: Node | null): number => node?.range?.[0] ?? 0;
  return {
    name,
    value: content,
    position(path, part = 'value') {
      const { key, value } = find(path);
      return at(start(part === 'key' ? (key ?? value) : value));
    },
    textPosition(path, offset) {
      const { value } = find(path);
      return at(isScalar(value) ? textOffset(value, text, offset) : start(value));
    },
  };
}

/** A place is asked for of every value that is read: a search in each mapping on the way would cost more than parsing. */
const pairsByKey = oncePerObject(
  ({ items }: YAMLMap): ReadonlyMap<string, Pair> =>
    new Map(
      items.flatMap((item) => (isPair(item) && isScalar(item.key) ? [[String(item.key.value), item] as const] : [])),
    ),
);

/** The place of a scalar's character in the file; the scalar's first one where quoting or folding hides it. */
function textOffset(scalar: Scalar, text: string, offset: number): number {
  const from = scalar.range?.[0] ?? 0;
  const value = String(scalar.value);
  if (scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE' || scalar.type === 'PLAIN') {
    const first = scalar.type === 'PLAIN' ? from : from + 1;
    return text.startsWith(value.slice(0, offset), first) ? first + offset : first;
  }
  // A block scalar: its text starts on the line after the indicator.
  const body = text.indexOf('\n', from) + 1;
  const line = value.slice(0, offset).split('\n');
  const indent = /^[ \n]*/u.exec(text.slice(body))?.[0] ?? '';
  if (scalar.type !== 'BLOCK_LITERAL') return body + indent.length;
  const width = indent.length - (indent.lastIndexOf('\n') + 1);
  let position = body;
  for (let skipped = 1; skipped < line.length; skipped += 1) position = text.indexOf('\n', position) + 1;
  return Math.min(position + width + (line.at(-1)?.length ?? 0), text.length);
}

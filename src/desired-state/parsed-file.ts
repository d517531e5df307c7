import { own } from './load-options.js';
import { parseYaml } from './parse-yaml.js';
import { Problems } from './problems.js';
import type { Path, YamlFile } from './yaml-file.js';

/** What parsing a YAML file gives, as JSON: for a file of which it is known ahead. */
export interface ParsedFile {
  readonly value: unknown;
  readonly place: ParsedPlace;
}

/** Line and column of a value, then of its key, then the places within it. */
type ParsedPlace = readonly [
  number,
  number,
  number,
  number,
  (readonly ParsedPlace[] | Readonly<Record<string, ParsedPlace>>)?,
];

/** All that a parsed file knows, but where within a text something stands. */
export const parsedFile = (file: YamlFile): ParsedFile => ({
  value: file.value,
  place: placeOf(file, file.value, []),
});

function placeOf(file: YamlFile, value: unknown, path: Path): ParsedPlace {
  const at = file.position(path);
  const key = file.position(path, 'key');
  const own = [at.line, at.column, key.line, key.column] as const;
  if (typeof value !== 'object' || value === null) return own;
  if (Array.isArray(value)) return [...own, value.map((item, index) => placeOf(file, item, [...path, index]))];
  const within = Object.entries(value).map(([name, inner]) => [name, placeOf(file, inner, [...path, name])]);
  return [...own, Object.fromEntries(within) as Readonly<Record<string, ParsedPlace>>];
}

/**
 * The file that was parsed, without parsing it.
 * @param name as errors show it
 * @param text that `parsed` was made of; it is parsed after all when a place within one of its texts is asked for
 */
export const yamlFile = (name: string, text: string, parsed: ParsedFile): YamlFile => ({
  name,
  value: parsed.value,
  position(path, part = 'value') {
    const [line, column, keyLine, keyColumn] = find(parsed.place, path);
    return part === 'key' ? { file: name, line: keyLine, column: keyColumn } : { file: name, line, column };
  },
  textPosition(path, offset) {
    const whole = parseYaml(name, text, new Problems());
    if (whole === null) throw new Error(`internal: ${name} was parsed before, and cannot be now`);
    return whole.textPosition(path, offset);
  },
});

/** The place at a path, or of what encloses it. */
function find(from: ParsedPlace, path: Path): ParsedPlace {
  let place = from;
  for (const segment of path) {
    const next = step(place[4], segment);
    if (next === undefined) break;
    place = next;
  }
  return place;
}

function step(within: ParsedPlace[4], segment: string | number): ParsedPlace | undefined {
  if (isList(within)) return typeof segment === 'number' ? within[segment] : undefined;
  return own(within, String(segment));
}

const isList = (within: ParsedPlace[4]): within is readonly ParsedPlace[] => Array.isArray(within);

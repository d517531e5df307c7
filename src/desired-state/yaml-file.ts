import type { SourcePosition } from './model.js';

/** A step into a document: a key of a mapping, or a place in a list. */
export type Path = readonly (string | number)[];

/** A parsed YAML file that knows where each of its values stands. */
export interface YamlFile {
  /** As errors show it. */
  readonly name: string;
  readonly value: unknown;
  /** Where the value at `path` starts; with `key`, where its key does. Falls back on what encloses it. */
  position(path: Path, part?: 'value' | 'key'): SourcePosition;
  /** Where the character `offset` of the text at `path` stands, as far as its quoting lets it be told. */
  textPosition(path: Path, offset: number): SourcePosition;
}

/** A value in a file. */
export interface Place {
  readonly file: YamlFile;
  readonly path: Path;
}

/** A place further in. */
export const within = (place: Place, ...path: Path): Place => ({ file: place.file, path: [...place.path, ...path] });

/** Where a place's value starts. */
export const valueAt = (place: Place): SourcePosition => place.file.position(place.path);

/** Where a place's key starts; for an item of a list, the item. */
export const keyAt = (place: Place): SourcePosition => place.file.position(place.path, 'key');

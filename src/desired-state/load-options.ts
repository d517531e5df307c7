/** What to load, and the values that flags, the environment and overrides give. */
export interface LoadOptions {
  /** The directory that holds fleet.yaml. */
  readonly directory: string;
  /** Usually process.env. A variable set to nothing counts as unset. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Phase → backend, from flags. */
  readonly backends: Readonly<Record<string, string>>;
  /** Parameter → value, from flags. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Only these phases; null for all. */
  readonly phases: readonly string[] | null;
  /** Leaves the phases out that are marked `extension`. */
  readonly skipExtensionPhases: boolean;
  /** What another run had from its environment: stands in for the variables, which are not read. */
  readonly recorded?: Recorded;
  /** Phase → the alternative of its backend that a database resolved to. */
  readonly alternatives?: Readonly<Record<string, string>>;
  /** Phase → backend, from an entry of `overrides`. */
  readonly backendOverrides?: Readonly<Record<string, string>>;
  /** Parameter → value, from an entry of `overrides`. */
  readonly parameterOverrides?: Readonly<Record<string, string | number | boolean>>;
}

/** What the environment said to the run that a saved plan comes from; connections aside. */
export interface Recorded {
  /** Phase → backend. */
  readonly backends: Readonly<Record<string, string>>;
  /** Parameter → value. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Null: none. */
  readonly baseSchema: string | null;
}

/** A record's own value: a name such as `constructor` must not find what every object inherits. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

import type { Progress } from '../progress.js';
import type { Note } from './items.js';

/** What is inspected, and how the files are to look. */
export interface InspectRequest {
  /** The tenant's schema. */
  readonly schema: string;
  /** Where editors find the JSON Schemas, from the files; left out: in the package as npm installs it beside them. */
  readonly schemaDirectory?: string;
  readonly progress?: Progress;
}

/** A tenant's desired state as files, shown to be in sync with it. */
export interface Inspection {
  readonly schema: string;
  readonly files: readonly InspectedFile[];
  /** What the files do not say of the tenant, and what a reader should look at. */
  readonly notes: readonly Note[];
  readonly families: readonly { readonly table: string; readonly name: string; readonly members: number }[];
  /** Where values out of rows, or constants of index predicates, stand in the files. */
  readonly values: readonly string[];
}

/** One file of a desired state. */
export interface InspectedFile {
  /** Relative to the directory. */
  readonly path: string;
  readonly text: string;
}

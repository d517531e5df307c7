import type { NameResolver } from '../../src/sql/names.js';

/** A resolver that knows no extension. */
export const NO_EXTENSIONS: NameResolver = { schemaOf: () => null, extensionOf: () => null };

import type { CatalogSnapshot } from '../catalog/snapshot.js';
import { calledDatabase, type DatabasePlace } from '../database/database-place.js';
import type { DesiredExtension, DesiredTable, SourcePosition } from '../desired-state/model.js';
import { foreignNames } from '../sql/object-names.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';

/**
 * Types that index keys and columns name in a schema that an installed extension brings must be there: versions and builds
 * of one extension differ, and every tenant would fail at the same statement.
 * @throws {TrueupError} EXTENSION_TOO_OLD, once, naming the type.
 */
export async function checkTypes(
  tables: readonly DesiredTable[],
  declared: readonly DesiredExtension[],
  snapshot: CatalogSnapshot,
  database: DatabasePlace,
): Promise<void> {
  const bringer = new Map(
    declared.flatMap((extension) => extension.schemas.map((schema) => [schema, extension] as const)),
  );
  const checked = new Set<string>();
  const check = async (kind: 'type' | 'expression', text: string, source: SourcePosition) => {
    if (checked.has(text)) return;
    checked.add(text);
    for (const found of await foreignNames(kind, text)) {
      const extension = found.kind === 'type' ? bringer.get(found.schema) : undefined;
      const version = extension === undefined ? null : snapshot.extensions.get(extension.name)?.installedVersion;
      if (extension === undefined || version == null) continue;
      if (snapshot.names.extensionOf('type', found.schema, found.name) !== null) continue;
      throw new TrueupError(
        'EXTENSION_TOO_OLD',
        `extension ${extension.name} ${version} has no type ${found.schema}.${found.name}: it is older than that, or was built without it`,
        {
          where: `database ${calledDatabase(database)}, phase ${extension.phase}, ${source.file}:${source.line}:${source.column}`,
          remedy: `choose another value, or run as an administrator: ALTER EXTENSION ${quoteIdentifier(extension.name)} UPDATE`,
        },
      );
    }
  };
  if (bringer.size === 0) return;
  for (const table of tables) {
    for (const column of table.columns) await check('type', column.type, column.source);
    for (const index of table.indexes)
      for (const key of index.keys)
        if (key.expression !== null) await check('expression', key.expression, index.source);
  }
}

import type { OwnedRead } from '../catalog/owned-reads.js';
import type { CatalogSnapshot } from '../catalog/snapshot.js';
import { calledDatabase, type DatabasePlace } from '../database/database-place.js';
import type { DesiredState } from '../desired-state/model.js';
import { backendOf, isForeign } from '../diff/backend-switch.js';
import { TrueupError } from '../trueup-error.js';

/**
 * A backend that only a default chose never replaces another backend's indexes.
 * @throws {TrueupError} BACKEND_NOT_NAMED, naming the backend that was found.
 */
export function checkBackends(desired: DesiredState, snapshot: CatalogSnapshot, database: DatabasePlace): void {
  const found = firstOfEach(snapshot);
  for (const phase of desired.phases) {
    const { backend, owns } = phase;
    if (!phase.selected || backend === null || owns === null || backend.source !== 'default') continue;
    for (const [indexes, schema] of found) {
      const foreign = indexes.find(
        ({ index }) =>
          owns.methods.includes(index.method.name) &&
          isForeign(backend, index.method) &&
          index.keys.some((key) => key.column === null || owns.columns.includes(key.column)),
      );
      if (foreign === undefined) continue;
      const { method } = foreign.index;
      const known = backendOf(backend, method);
      const called = known ?? `the extension ${method.extension ?? 'of PostgreSQL itself'}`;
      throw new TrueupError(
        'BACKEND_NOT_NAMED',
        `tenants have ${phase.name} indexes of ${called}, and ${backend.value} was chosen only by default: a default replaces nothing`,
        {
          where: `database ${calledDatabase(database)}, index ${foreign.index.name} of schema "${schema}" (${method.name})`,
          remedy: `name the backend that the fleet runs: --backend ${phase.name}=${known ?? 'NAME'} (or --backend ${phase.name}=${backend.value} to replace it), or set the variable that fleet.yaml names for it`,
        },
      );
    }
  }
}

/** A tenant for each list of indexes that are read apart: tenants that have the same share one. */
function firstOfEach(snapshot: CatalogSnapshot): ReadonlyMap<readonly OwnedRead[], string> {
  const first = new Map<readonly OwnedRead[], string>();
  for (const [schema, indexes] of snapshot.owned) if (!first.has(indexes)) first.set(indexes, schema);
  // Family members that are read as digests: those of one kind are of one backend.
  for (const { examples } of snapshot.kinds.values())
    for (const example of examples) first.set([example], example.schema);
  return first;
}

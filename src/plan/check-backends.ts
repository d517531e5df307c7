import type { OwnedRead } from '../catalog/owned-reads.js';
import type { CatalogSnapshot } from '../catalog/snapshot.js';
import { calledDatabase, type DatabasePlace } from '../database/database-place.js';
import type { DesiredState } from '../desired-state/model.js';
import { ownMethods } from '../diff/backend-switch.js';
import type { MethodIdentity } from '../shape/table-shape.js';
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
    const own = ownMethods(backend);
    const ofOthers = backend.known.flatMap(({ methods }) => methods).filter((method) => !own.some(isSame(method)));
    const extensions = new Set(own.map((method) => method.extension));
    // Two backends may use one extension, or none, by methods of their own; what no file names is drift like any other.
    const isForeign = (method: MethodIdentity) => !extensions.has(method.extension) || ofOthers.some(isSame(method));
    for (const [indexes, schema] of found) {
      const foreign = indexes.find(
        ({ index }) =>
          owns.methods.includes(index.method.name) &&
          isForeign(index.method) &&
          index.keys.some((key) => key.column === null || owns.columns.includes(key.column)),
      );
      if (foreign === undefined) continue;
      const { method } = foreign.index;
      const known = backend.known.find((candidate) => candidate.methods.some(isSame(method)));
      const called = known?.name ?? `the extension ${method.extension ?? 'of PostgreSQL itself'}`;
      throw new TrueupError(
        'BACKEND_NOT_NAMED',
        `tenants have ${phase.name} indexes of ${called}, and ${backend.value} was chosen only by default: a default replaces nothing`,
        {
          where: `database ${calledDatabase(database)}, index ${foreign.index.name} of schema "${schema}" (${method.name})`,
          remedy: `name the backend that the fleet runs: --backend ${phase.name}=${known?.name ?? 'NAME'} (or --backend ${phase.name}=${backend.value} to replace it), or set the variable that fleet.yaml names for it`,
        },
      );
    }
  }
}

const isSame = (left: MethodIdentity) => (right: MethodIdentity) =>
  left.name === right.name && left.extension === right.extension;

/** A tenant for each list of indexes that are read apart: tenants that have the same share one. */
function firstOfEach(snapshot: CatalogSnapshot): ReadonlyMap<readonly OwnedRead[], string> {
  const first = new Map<readonly OwnedRead[], string>();
  for (const [schema, indexes] of snapshot.owned) if (!first.has(indexes)) first.set(indexes, schema);
  // Family members that are read as digests: those of one kind are of one backend.
  for (const { examples } of snapshot.kinds.values())
    for (const example of examples) first.set([example], example.schema);
  return first;
}

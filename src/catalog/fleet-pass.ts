import { chunk, oncePer } from '../collections.js';
import type { Session } from '../database/session.js';
import type { FleetRow } from './fleet-row.js';
import { asOwned, type OwnedIndexes } from './owned-indexes.js';
import { inWords, OWNED_ROWS, ownedSql } from './owned-indexes-sql.js';
import type { OwnershipFilter } from './ownership-filter.js';
import { readForHash } from './rough-hash.js';
import { asShapes, type HashedShape, randomSeed, SHAPE_ROWS, shapesSql, WORTH_ROUGH } from './shape-hash.js';
import { type ReadySession, shared, shrinkingParts } from './shared-parts.js';
import { ANY_TENANTS } from './shared-snapshot.js';
import { NOTHING_MORE, tenantRelations } from './tenant-relations.js';

/** What one pass over the catalogs gives of a fleet. */
export interface FleetPass {
  readonly hashed: readonly HashedShape[];
  readonly apart: OwnedIndexes;
}

/** What a pass is to read. Both in one statement cost little more than the dearer one: they need the same rows. */
export interface PassRequest {
  readonly shapes: boolean;
  readonly apart: boolean;
  /** Whether such a reading comes again in its session, for other tenants. Left out: no. */
  readonly again?: boolean;
  /** Whether {@link ANY_TENANTS} is in force already. Left out: no. */
  readonly forAny?: boolean;
  /** So many tenants are hashed roughly first. */
  readonly worthRough?: number;
  /** So many tenants one statement reads. */
  readonly partOf?: number;
  /** That of the hashes, for passes that are to be compared; else it is drawn. */
  readonly seed?: string;
}

/**
 * Hashes every tenant's declared tables, and reads every index that stands apart, from catalogs alone: in one statement a
 * session, for a very large fleet in a few. Members of families that the filter has digested cross the wire as one digest
 * a tenant.
 * @param namespaces the tenants' oids
 * @param relations names of tables
 */
export async function readFleet(
  sessions: readonly ReadySession[],
  namespaces: readonly string[],
  relations: readonly string[],
  filter: OwnershipFilter,
  request: PassRequest,
): Promise<FleetPass> {
  const apart = request.apart && (filter.ownership.length > 0 || filter.families.length > 0);
  if (namespaces.length === 0 || (!apart && !request.shapes)) return NOTHING;
  const seed = request.seed ?? randomSeed();
  const parts = partsOf(namespaces, sessions.length, request.partOf ?? PART_OF);
  const worthRough = request.worthRough ?? WORTH_ROUGH;
  const isKept = parts.length > sessions.length || request.again === true;
  const forAny = oncePer((session: Session) => session.query(`select ${ANY_TENANTS}`));
  const read = async (session: Session, part: readonly string[]) => {
    if (request.forAny !== true) await forAny(session);
    const isRough = request.shapes && part.length >= worthRough;
    const { serverVersion } = session;
    const isCut = request.shapes && filter.relevant.length > 0;
    const sql = `with ${[
      tenantRelations(
        { ...(isRough ? readForHash(serverVersion, isCut) : NOTHING_MORE), words: apart ? inWords(isRough) : null },
        isCut,
      ),
      ...(apart ? [ownedSql(serverVersion, isRough)] : []),
      ...(request.shapes ? [shapesSql(serverVersion, { isRough, isCut })] : []),
    ].join(',')}${[...(apart ? [OWNED_ROWS] : []), ...(request.shapes ? [SHAPE_ROWS] : [])].join('\nunion all')}`;
    const parameters = [part, relations, JSON.stringify(filter), ...(isRough || apart ? [seed] : [])];
    return session.query<FleetRow>(sql, parameters, { kept: isKept });
  };
  const rows = await shared(sessions, parts, read);
  return { hashed: asShapes(rows.filter((row) => row.what === 'shape')), apart: asOwned(rows, seed) };
}

/**
 * What one statement takes of the server's memory grows with its tenants: 160 MB for 1,250 of the reference shape. Twice
 * as many are read no faster. Limited in number, or the statements of a plan would grow with the fleet.
 */
const PART_OF = 1250;
const PARTS_PER_SESSION = 4;

function partsOf(namespaces: readonly string[], sessions: number, partOf: number): readonly (readonly string[])[] {
  const most = Math.max(partOf, Math.ceil(namespaces.length / sessions / PARTS_PER_SESSION));
  return namespaces.length <= sessions * partOf || sessions === 1
    ? chunk(namespaces, Math.min(most, Math.ceil(namespaces.length / sessions)))
    : shrinkingParts(namespaces, sessions, { most, least: Math.ceil(most / 4) });
}

const NOTHING: FleetPass = { hashed: [], apart: { groups: [], members: [], kinds: [], seed: '0' } };

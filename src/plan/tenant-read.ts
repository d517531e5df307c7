import type { OwnedRead } from '../catalog/owned-reads.js';
import type { CatalogSnapshot, ReadTable } from '../catalog/snapshot.js';
import type { TenantChange } from '../diff/change.js';
import { memberKey } from './settle-members.js';

/** A tenant as the catalogs have it; `tables` is empty for one that is still to be made. */
export interface TenantRead {
  readonly schema: string;
  readonly hash: string;
  readonly tables: ReadonlyMap<string, ReadTable>;
  /** What is read apart, but for `members`; one list for all tenants that have the same. */
  readonly owned: readonly OwnedRead[];
  /** Family members that are read as a digest, by {@link memberKey}. */
  readonly members: ReadonlyMap<string, DigestedFamily>;
  readonly isNew: boolean;
}

/** One family's members in one tenant. */
export interface DigestedFamily {
  /** One list for all tenants that have the same. */
  readonly kinds: readonly string[];
  readonly digest: string;
}

/** Tenants, and the changes that each needs. */
export type ChangesByTenant = readonly (readonly [TenantRead, readonly TenantChange[]])[];

/** What a tenant needs, or why that cannot be told. */
export type TenantResult = { readonly changes: readonly TenantChange[] } | { readonly problem: string };

/** Tenants of a snapshot, in order of name; `absent` ones as new. */
export function tenantsOf(snapshot: CatalogSnapshot): readonly TenantRead[] {
  const members = new Map<string, Map<string, DigestedFamily>>();
  for (const { table, family, kinds, schemas, digests } of snapshot.members) {
    const key = memberKey(table, family);
    for (const [at, schema] of schemas.entries()) {
      const of = members.get(schema) ?? new Map<string, DigestedFamily>();
      members.set(schema, of.set(key, { kinds, digest: digests[at] ?? '' }));
    }
  }
  const byGroup = snapshot.groups.flatMap((group) =>
    group.schemas.map((schema) => ({
      schema,
      hash: group.hash,
      tables: group.tables,
      owned: snapshot.owned.get(schema) ?? NONE,
      members: members.get(schema) ?? NO_MEMBERS,
      isNew: false,
    })),
  );
  const absent = snapshot.absent.map((schema) => ({
    schema,
    hash: '',
    tables: new Map(),
    owned: NONE,
    members: NO_MEMBERS,
    isNew: true,
  }));
  return [...byGroup, ...absent].sort((left, right) => (left.schema < right.schema ? -1 : 1));
}

const NONE: readonly OwnedRead[] = [];
const NO_MEMBERS: ReadonlyMap<string, DigestedFamily> = new Map();

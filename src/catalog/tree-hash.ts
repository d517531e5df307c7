import { FACE_OF_TABLE } from './faces.js';
import { foreignReferences, refersIntoTenants } from './object-references.js';
import { rowHash, SEED, textHash } from './seeded-hash.js';
import { relativeExpression } from './table-hash.js';

/** A tree without the numbers behind a mark: a fifth of what a regular expression takes. A blank inside a name is escaped. */
const cut = (tree: string, mark: string): string =>
  `pg_catalog.array_to_string(array(select pg_catalog.ltrim(m, '-0123456789') from pg_catalog.unnest(pg_catalog.string_to_array(${tree}, '${mark}')) m), '')`;

/**
 * The node trees of a catalog, as `name` (rel, n, h). Most are the same in all tenants: how a tree reads without its
 * source positions, and whether it names a tenant's own, is asked once for each that differs.
 */
export function treeSql(version: number, name: string, on: TreeCatalog): string {
  const { trees } = on;
  const bare = version < 170000 ? trees.map((tree) => cut(`${tree}::text`, ':location ')) : trees;
  return `
${name}_raw as materialized (${on.raw}),
${name}_text as materialized (
  select d.h raw, d.oid, ${on.table} rel, ${treeHash(bare)} h,
         ${trees.map((tree) => `coalesce(pg_catalog.strpos(${tree}::text, ':varattno 0 ') > 0, false)`).join(' or ')} whole
    from (select h, min(oid) oid from ${name}_raw group by 1) d join pg_catalog.${on.catalog} o on ${on.oid} = d.oid),
${name}_far as materialized (
  select d.h, ${refersIntoTenants(on.object, 'd.oid', 'd.rel', 'd.whole')} far from (select distinct on (h) h, oid, rel, whole from ${name}_text order by h, oid) d),
${name}_once as materialized (select d.raw, d.h, f.far from ${name}_text d join ${name}_far f on f.h = d.h),
${name} as materialized (
  select t.rel, t.n, d.h from ${name}_raw t join ${name}_once d on d.raw = t.h and not d.far
  union all
  select t.rel, t.n, ${rowHash(`${trees.map(relativeExpression).join(', ')}, ${foreignReferences(on.object, 't.oid')}`)}
    from ${name}_raw t join ${name}_once d on d.raw = t.h and d.far join rel r on r.oid = t.rel
   cross join lateral (select o.* from pg_catalog.${on.catalog} o where ${on.oid} = t.oid offset 0) o)`;
}

/** Trees, hashed: each one's hash is the next one's seed. None is empty text, which therefore stands for one that is not there. */
export const treeHash = (trees: readonly string[]): string =>
  trees.reduce((seed, tree) => textHash(`coalesce(${tree}::text, '')`, seed), SEED);

/** A catalog `o` with node trees, as treeSql needs to know it. */
interface TreeCatalog {
  readonly catalog: string;
  /** As which catalog's objects pg_depend has the trees. */
  readonly object: 'pg_attrdef' | 'pg_class' | 'pg_constraint';
  readonly oid: string;
  /** The table that the trees are part of. */
  readonly table: string;
  readonly trees: readonly string[];
  /** Gives oid, rel, n (what tells the tree from its table's others) and h, the hash of its trees as they are. */
  readonly raw: string;
}

/** @param isCut relevant ones alone: those of the columns in `face.defaulted` */
export const defaults = (isCut: boolean): TreeCatalog => ({
  catalog: 'pg_attrdef',
  object: 'pg_attrdef',
  oid: 'o.oid',
  table: 'o.adrelid',
  trees: ['o.adbin'],
  raw: `
  select o.oid, r.oid rel, o.adnum n, ${treeHash(['o.adbin'])} h from rel r ${
    isCut
      ? `join ${FACE_OF_TABLE} cross join lateral (
    select o.* from pg_catalog.pg_attrdef o where face.defaulted is not null and o.adrelid = r.oid and o.adnum = any(face.defaulted) offset 0) o`
      : 'join pg_catalog.pg_attrdef o on o.adrelid = r.oid'
  }`,
});

/** Predicates and expressions of indexes. */
export const INDEXES: TreeCatalog = {
  catalog: 'pg_index',
  object: 'pg_class',
  oid: 'o.indexrelid',
  table: 'o.indrelid',
  trees: ['o.indpred', 'o.indexprs'],
  raw: `
  select indexrelid oid, rel, relname n, th h from plain where th is not null`,
};

/** Expressions of CHECK constraints. */
export const CONSTRAINTS: TreeCatalog = {
  catalog: 'pg_constraint',
  object: 'pg_constraint',
  oid: 'o.oid',
  table: 'o.conrelid',
  trees: ['o.conbin'],
  raw: `
  select oid, rel, tn n, th h from con where th is not null`,
};

import { foreignReferences, refersIntoTenants } from './object-references.js';
import { rowHash, textHash } from './seeded-hash.js';
import { relativeExpression } from './table-hash.js';

/** A tree without the numbers behind a mark: a fifth of what a regular expression takes. A blank inside a name is escaped. */
export const cut = (tree: string, mark: string): string =>
  `pg_catalog.array_to_string(array(select pg_catalog.ltrim(m, '-0123456789') from pg_catalog.unnest(pg_catalog.string_to_array(${tree}, '${mark}')) m), '')`;

/**
 * The node trees of a catalog, as `name` (oid, rel, n, h). Most are the same in all tenants: how a tree reads without its
 * source positions, and whether it names a tenant's own, is asked once for each that differs.
 */
export function treeSql(version: number, name: string, on: TreeCatalog): string {
  const text = (of: (tree: string) => string) =>
    on.trees.length === 1 ? of(on.trees[0] ?? '') : `row(${on.trees.map(of).join(', ')})::text`;
  const raw = text((tree) => `${tree}::text`);
  return `
${name}_raw as materialized (
  select ${on.oid} oid, r.oid rel, ${on.number} n, ${textHash(raw)} h from rel r join pg_catalog.${on.catalog} o on ${on.table} = r.oid
   where ${on.where}),
${name}_text as materialized (
  select d.h raw, d.oid, ${on.table} rel, ${textHash(version < 170000 ? cut(raw, ':location ') : raw)} h
    from (select h, min(oid) oid from ${name}_raw group by 1) d join pg_catalog.${on.catalog} o on ${on.oid} = d.oid),
${name}_far as materialized (
  select d.h, ${refersIntoTenants(on.object, 'd.oid', 'd.rel')} far from (select distinct on (h) h, oid, rel from ${name}_text order by h, oid) d),
${name}_once as materialized (select d.raw, d.h, f.far from ${name}_text d join ${name}_far f on f.h = d.h),
${name} as materialized (
  select t.oid, t.rel, t.n, d.h from ${name}_raw t join ${name}_once d on d.raw = t.h and not d.far
  union all
  select t.oid, t.rel, t.n, ${rowHash(`${text((tree) => relativeExpression(tree))}, ${foreignReferences(on.object, 't.oid')}`)}
    from ${name}_raw t join ${name}_once d on d.raw = t.h and d.far join rel r on r.oid = t.rel join pg_catalog.${on.catalog} o on ${on.oid} = t.oid)`;
}

/** A catalog `o` with node trees, as treeSql needs to know it. */
interface TreeCatalog {
  readonly catalog: string;
  /** As which catalog's objects pg_depend has the trees. */
  readonly object: 'pg_attrdef' | 'pg_class' | 'pg_constraint';
  readonly oid: string;
  readonly table: string;
  readonly number: string;
  readonly trees: readonly string[];
  readonly where: string;
}

export const DEFAULTS: TreeCatalog = {
  catalog: 'pg_attrdef',
  object: 'pg_attrdef',
  oid: 'o.oid',
  table: 'o.adrelid',
  number: 'o.adnum',
  trees: ['o.adbin'],
  where: 'true',
};

export const INDEXES: TreeCatalog = {
  catalog: 'pg_index',
  object: 'pg_class',
  oid: 'o.indexrelid',
  table: 'o.indrelid',
  number: '0',
  trees: ['o.indpred', 'o.indexprs'],
  where: `(o.indpred is not null or o.indexprs is not null) and o.indexrelid not in (select indexrelid from own)`,
};

export const CONSTRAINTS: TreeCatalog = {
  catalog: 'pg_constraint',
  object: 'pg_constraint',
  oid: 'o.oid',
  table: 'o.conrelid',
  number: '0',
  trees: ['o.conbin'],
  where: 'o.conbin is not null',
};

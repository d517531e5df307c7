import { TENANT_PATTERN } from './tenants.js';

/**
 * The least that any plan of the whole fleet has to do: read the catalog rows of which the tenants' tables consist, node
 * trees included, and hash them once, raw, on the server. The result would not do for a plan (oids and positions differ
 * from tenant to tenant); it bounds what a plan can cost from below. The hashes are used, or the server would leave them out.
 */
export const PLAN_FLOOR_SQL = `
SET search_path = '';
SET jit = off;
WITH ns AS MATERIALIZED (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname ~ '${TENANT_PATTERN}'),
rel AS MATERIALIZED (
  SELECT c.oid, c.relnamespace ns, c.relkind, c.relam, c.relname,
         concat_ws('|', c.relname, c.relkind, c.relam, c.relpersistence, c.relispopulated, c.reloptions) AS facts
    FROM pg_catalog.pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I')),
part AS (
  SELECT ns, hashtextextended(facts, 0) h FROM rel
  UNION ALL
  SELECT r.ns, hashtextextended(concat_ws('|', a.attname, a.attnum, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull,
           a.attidentity, a.attgenerated), 0)
    FROM rel r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
   WHERE r.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT r.ns, hashtextextended(d.adbin::text, d.adnum) FROM rel r JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid
  UNION ALL
  SELECT r.ns, hashtextextended(concat_ws('|', i.indkey, i.indclass, i.indoption, i.indcollation, i.indisunique, i.indisprimary,
           i.indisvalid, i.indisready, i.indpred::text, i.indexprs::text), 0)
    FROM rel r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
  UNION ALL
  SELECT r.ns, hashtextextended(concat_ws('|', k.conname, k.contype, k.conkey, k.confkey, k.convalidated, k.condeferrable,
           k.condeferred, k.confupdtype, k.confdeltype, k.confmatchtype, k.conbin::text), 0)
    FROM rel r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid)
SELECT count(*), count(DISTINCT h) FROM (SELECT ns, sum(h) h FROM part GROUP BY ns) hashed;
`;

import { relationAt, WITH_HEIRS } from './named-schemas.js';

/** What depends on type `kind`: looked up, or all tenants' dependencies might be gone through for each. */
const USERS_OF_KIND = `lateral (
      select p.* from pg_catalog.pg_depend p
       where p.refclassid = 'pg_catalog.pg_type'::regclass and p.refobjid = kind.oid offset 0) p`;

/** Whether anything depends on the type of table `c`, or on its arrays': of nearly every table nothing does, and nothing follows. */
const IS_USED = `(c.relhassubclass or exists (
    select from lateral (select t.oid, t.typarray from pg_catalog.pg_type t where t.oid = c.reltype offset 0) t
     cross join lateral (
       select from pg_catalog.pg_depend p
        where p.refclassid = 'pg_catalog.pg_type'::regclass and p.refobjid in (t.oid, t.typarray)
          and (p.classid <> 'pg_catalog.pg_type'::regclass or p.objid <> t.typarray) offset 0) p))`;

/**
 * The columns that hold rows of table `c`, or of one that inherits from it, as values, as an SQL array of words: `column x of u`. Through
 * arrays, domains and other types too; with the schema where that is another than `ns`.
 */
export const ROW_USES = `case when ${IS_USED} then array(
  ${WITH_HEIRS},
  kind(oid) as (
    select k.reltype from heir cross join ${relationAt('heir.oid', 'k')}
    union
    select coalesce(v.reltype, p.objid)
      from kind cross join ${USERS_OF_KIND}
      left join ${relationAt('p.objid', 'v')}
        on p.classid = 'pg_catalog.pg_class'::regclass and p.objsubid > 0 and v.relkind not in ('r', 'p', 'm', 'i')
     where p.classid = 'pg_catalog.pg_type'::regclass or v.oid is not null)
  select distinct pg_catalog.format('column %s of %s%s', a.attname,
           case when u.relnamespace = ns.oid then '' else u.relnamespace::pg_catalog.regnamespace || '.' end, u.relname)
    from kind cross join ${USERS_OF_KIND}
   cross join ${relationAt('p.objid', 'u')}
   cross join lateral (select a.attname from pg_catalog.pg_attribute a where a.attrelid = u.oid and a.attnum = p.objsubid offset 0) a
   where p.classid = 'pg_catalog.pg_class'::regclass and u.relkind in ('r', 'p', 'm')
   order by 1) else '{}' end`;

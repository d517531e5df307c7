import { WITH_HEIRS } from './named-schemas.js';

/**
 * The columns that hold rows of table `c`, or of one that inherits from it, as values, as an SQL array of words: `column x of u`. Through
 * arrays, domains and other types too; with the schema where that is another than `ns`.
 */
export const ROW_USES = `array(
  ${WITH_HEIRS},
  kind(oid) as (
    select k.reltype from heir join pg_catalog.pg_class k on k.oid = heir.oid
    union
    select coalesce(v.reltype, p.objid)
      from kind
      join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_type'::regclass and p.refobjid = kind.oid
      left join pg_catalog.pg_class v
        on p.classid = 'pg_catalog.pg_class'::regclass and p.objsubid > 0 and v.oid = p.objid and v.relkind not in ('r', 'p', 'm', 'i')
     where p.classid = 'pg_catalog.pg_type'::regclass or v.oid is not null)
  select distinct pg_catalog.format('column %s of %s%s', a.attname,
           case when u.relnamespace = ns.oid then '' else u.relnamespace::pg_catalog.regnamespace || '.' end, u.relname)
    from kind
    join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_type'::regclass and p.refobjid = kind.oid
         and p.classid = 'pg_catalog.pg_class'::regclass
    join pg_catalog.pg_class u on u.oid = p.objid and u.relkind in ('r', 'p', 'm')
    join pg_catalog.pg_attribute a on a.attrelid = u.oid and a.attnum = p.objsubid
   order by 1)`;

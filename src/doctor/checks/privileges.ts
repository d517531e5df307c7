import { readNotReferableAnywhere } from '../../catalog/referable.js';
import { counted } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { referenceName } from '../../shape/table-reference.js';
import type { TableReference } from '../../shape/table-shape.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { type CheckContext, check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** What a role may lack in a tenant. */
type Lack = 'usage' | 'rows' | 'evidence' | 'hidden' | 'owner' | 'create';

/** Tenants that lack the same. */
interface LackRow extends Row {
  readonly lack: Lack;
  /** Of `owner`: whose tables they are. */
  readonly owner: string;
  /** Of `owner`: a superuser, whose privileges nobody is to get for this. */
  readonly superuser: boolean;
  /** Of `owner`: the role may become it, and does not have its privileges before. */
  readonly settable: boolean;
  readonly count: number;
  readonly schemas: readonly string[];
}

/** What plan and apply need of the role, in every tenant. */
export const privileges = check({
  name: 'privileges',
  read: async (context) => {
    const { session } = context;
    const [row] = await session.query<
      Row & { stats: boolean; plpgsql: boolean | null; closed: readonly string[] | null }
    >(
      `select pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage') stats,
              (select pg_catalog.has_language_privilege(l.oid, 'usage') from pg_catalog.pg_language l
                where l.lanname = 'plpgsql') plpgsql,
              (select pg_catalog.array_agg(n.nspname::text order by n.nspname) from pg_catalog.pg_namespace n
                where not pg_catalog.has_schema_privilege(n.oid, 'usage')
                  and (n.nspname = any($2::text[])
                    or exists (select from pg_catalog.pg_extension e where e.extnamespace = n.oid and e.extname = any($1::text[])))) closed`,
      [context.extensions.map(({ name }) => name), context.extensions.flatMap(({ schemas }) => schemas)],
    );
    const lacks = await session.query<LackRow>(LACKS_SQL, [
      oidsOf(context),
      context.relations,
      familySources(context),
      // Since 16 a membership may be without leave to become the role.
      session.serverVersion >= 160_000 ? 'set' : 'member',
    ]);
    const own = { oids: oidsOf(context), tables: context.relations };
    const closedTables = await readNotReferableAnywhere(session, sharedTables(context), own);
    return {
      stats: row?.stats ?? false,
      plpgsql: row?.plpgsql ?? null,
      closed: row?.closed ?? [],
      lacks,
      closedTables,
    };
  },
  judge: ({ stats, plpgsql, closed, lacks, closedTables }, context) => {
    const { here, session } = context;
    const role = quoteIdentifier(here.user);
    const needsRows = familySources(context).length > 0;
    const told = lacks.map((lack) => lackFinding(lack, here.user, needsRows));
    for (const schema of closed)
      told.push(
        finding('privileges', 'warning', {
          what: `role ${here.user} may not use schema ${quoteIdentifier(schema)}, where a declared extension lives`,
          why: 'to plan it is enough; apply can name none of its types and operator classes: columns and indexes of them are refused',
          statements: [`GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`],
        }),
      );
    if (closedTables.length > 0)
      told.push(
        finding('privileges', 'warning', {
          what: `role ${here.user} may not make foreign keys onto ${counted(closedTables.length, 'table')} that tenants share`,
          why: 'to plan it is enough; apply fails where such a key is to be made',
          statements: grantsOf(closedTables, role),
          subjects: closedTables.map(referenceName),
          count: closedTables.length,
        }),
      );
    if (plpgsql !== true)
      told.push(
        finding('privileges', 'warning', {
          what: plpgsql === null ? 'the database has no PL/pgSQL' : `role ${here.user} may not use PL/pgSQL`,
          why: 'to plan it is enough; apply checks with it, under the lock, that a table is empty still',
          statements: [plpgsql === null ? 'CREATE EXTENSION plpgsql' : `GRANT USAGE ON LANGUAGE plpgsql TO ${role}`],
        }),
      );
    if (!stats && !session.embedded)
      told.push(
        finding('privileges', 'note', {
          what: `role ${here.user} has no pg_read_all_stats`,
          why: 'apply cannot tell how old another role’s transaction is nor which application holds it up, and sees no progress of another role’s builds',
          statements: [`GRANT pg_read_all_stats TO ${role}`],
        }),
      );
    return told.length > 0
      ? told
      : [finding('privileges', 'ok', { what: `role ${here.user} has what plan and apply need in every tenant` })];
  },
});

/** Tables whose rows tell which indexes there must be: without them a tenant cannot be planned. */
const familySources = ({ desired }: CheckContext): readonly string[] => [
  ...new Set(desired.tables.flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? []))),
];

/** Tables of other schemas that declared foreign keys are onto. */
const sharedTables = ({ desired }: CheckContext): readonly TableReference[] =>
  desired.tables.flatMap(({ constraints }) =>
    constraints.flatMap((one) => (one.kind === 'foreign-key' && one.references.schema !== null ? one.references : [])),
  );

const grantsOf = (tables: readonly (TableReference & { readonly schema: string })[], role: string) => [
  ...new Set(tables.map(({ schema }) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`)),
  ...tables.map((table) => `GRANT REFERENCES ON ${referenceName(table)} TO ${role}`),
];

function lackFinding(row: LackRow, user: string, needsRows: boolean): Finding {
  const { lack, owner, count, schemas } = row;
  const tenants = counted(count, 'tenant');
  const role = quoteIdentifier(user);
  const subjects = { subjects: schemas, count };
  const readAll = [`GRANT pg_read_all_data TO ${role}`];
  switch (lack) {
    case 'usage':
      // Without families a plan asks for no row of it: what fails nothing must not fail a pipeline.
      return finding('privileges', needsRows ? 'problem' : 'warning', {
        what: `role ${user} may not use the schema of ${tenants}`,
        why: needsRows
          ? 'which indexes such a tenant must have cannot be told: plan reports it as unreadable'
          : 'plan reads such a tenant from the catalogs alone: a table that drifts counts as populated, and more is blocked; apply cannot change it',
        remedy: 'grant USAGE on those schemas and SELECT on their tables, or once for all of them:',
        statements: readAll,
        ...subjects,
      });
    case 'rows':
      return finding('privileges', 'problem', {
        what: `role ${user} may not read the table that an index family is generated from, in ${tenants}`,
        why: 'which indexes such a tenant must have cannot be told: plan reports it as unreadable',
        remedy: 'grant SELECT on that table, or once for all of them:',
        statements: readAll,
        ...subjects,
      });
    case 'evidence':
      return finding('privileges', 'note', {
        what: `role ${user} may not read every declared table of ${tenants}`,
        why: 'whether such a table holds rows cannot be told when it drifts: it counts as populated, and more is blocked',
        remedy: 'grant SELECT on them, or once for all of them:',
        statements: readAll,
        ...subjects,
      });
    case 'hidden':
      return finding('privileges', 'problem', {
        what: `row security hides rows of a family’s table from role ${user}, in ${tenants}`,
        why: 'indexes of rows that it does not see would look like orphans: plan reports such a tenant as unreadable',
        remedy: 'let the role see all rows:',
        statements: [`ALTER ROLE ${role} BYPASSRLS`],
        ...subjects,
      });
    case 'owner':
      return finding('privileges', 'warning', {
        what: `role ${user} has not the privileges of role ${owner}, which owns tables of ${tenants}`,
        why: 'to plan it is enough; apply cannot change a table that is not its role’s',
        ...ownerRemedy(row, role),
        ...subjects,
      });
    case 'create':
      return finding('privileges', 'warning', {
        what: `role ${user} may not create in the schema of ${tenants}`,
        why: 'to plan it is enough; apply can make neither a table nor an index there, its own tables’ included',
        remedy: 'the statements for the first of them:',
        statements: schemas.map((schema) => `GRANT CREATE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`),
        ...subjects,
      });
  }
}

function ownerRemedy({ owner, superuser, settable }: LackRow, role: string) {
  if (settable) return { remedy: `run apply with --role ${owner}, which it may become` };
  if (superuser)
    return {
      remedy: `run apply as a user that may change them; ${owner} is a superuser, and a member of it as good as one: better, give the schemas and tables to a role of their own (ALTER SCHEMA, ALTER TABLE … OWNER TO), and that role to this one`,
    };
  return {
    remedy: 'run apply with --role, or as a user, that is a member; or:',
    statements: [`GRANT ${quoteIdentifier(owner)} TO ${role}`],
  };
}

/** has_*_privilege is null for what has vanished meanwhile: lacks nothing any more. */
const LACKS_SQL = `
with ns as materialized (
  select n.oid, n.nspname, pg_catalog.has_schema_privilege(n.oid, 'usage') "usage",
         pg_catalog.has_schema_privilege(n.oid, 'create') "create"
    from pg_catalog.pg_namespace n where n.oid = any($1::oid[])),
rel as materialized (
  select ns.nspname, ns.usage, c.oid, c.relname, c.relowner, pg_catalog.has_table_privilege(c.oid, 'select') "read"
    from pg_catalog.pg_class c join ns on ns.oid = c.relnamespace
   where c.relname = any($2::name[]) and c.relkind in ('r', 'p', 'm')),
lacking as (
  select 1 rank, 'usage' lack, '' "owner", ns.nspname from ns where not ns.usage
  union
  select 2, 'rows', '', rel.nspname from rel where rel.usage and not rel.read and rel.relname = any($3::name[])
  union
  select 3, 'hidden', '', rel.nspname from rel
   where rel.usage and rel.read and rel.relname = any($3::name[]) and pg_catalog.row_security_active(rel.oid)
  union
  select 4, 'owner', pg_catalog.pg_get_userbyid(rel.relowner)::text, rel.nspname from rel
   where not pg_catalog.pg_has_role(current_user, rel.relowner, 'usage')
  union
  select 5, 'create', '', ns.nspname from ns
   where ns.usage and not ns.create
     and not exists (select from rel where rel.nspname = ns.nspname
                        and not pg_catalog.pg_has_role(current_user, rel.relowner, 'usage'))
  union
  select 6, 'evidence', '', rel.nspname from rel
   where rel.usage and not rel.read and rel.relname <> all($3::name[]))
select lack, "owner", coalesce(pg_catalog.bool_or(r.rolsuper), false) superuser,
       coalesce(pg_catalog.bool_or(pg_catalog.pg_has_role(current_user, r.oid, $4::text)), false) settable,
       pg_catalog.count(*)::int4 count, ((pg_catalog.array_agg(nspname::text order by nspname))[1:5]) schemas
  from lacking left join pg_catalog.pg_roles r on r.rolname = lacking."owner"
 group by rank, lack, "owner" order by rank, 5 desc, 2`.trim();

import { type ExtensionState, readExtensions } from '../../catalog/extensions.js';
import { compareVersions } from '../../compare-versions.js';
import { counted } from '../../counted.js';
import type { Row } from '../../database/session.js';
import type { DesiredExtension } from '../../desired-state/model.js';
import { quoteIdentifier, quoteLiteral } from '../../sql/quote.js';
import { type CheckContext, check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** What is known of extensions beside {@link ExtensionState}. */
interface MoreRow extends Row {
  readonly name: string;
  readonly schema: string;
  /** Whether the schema is a tenant's. */
  readonly inTenant: boolean;
  readonly relocatable: boolean;
  /** Columns of its types in the tenants' tables, and in how many tenants. */
  readonly columns: number;
  readonly tenants: number;
}

interface Facts {
  readonly states: ReadonlyMap<string, ExtensionState>;
  readonly installed: ReadonlyMap<string, MoreRow>;
  /** Declared ones that this role could create. */
  readonly creatable: ReadonlySet<string>;
  /** Libraries that the server loads at its start; null where the role may not see them. */
  readonly preloaded: readonly string[] | null;
}

/** The declared extensions, and any that stands in a tenant's schema. */
export const extensions = check({
  name: 'extensions',
  read: async (context): Promise<Facts> => {
    const { session } = context;
    const names = context.extensions.map(({ name }) => name);
    const { extensions: states } = await readExtensions(session, names);
    const installed = await session.query<MoreRow>(INSTALLED_SQL, [oidsOf(context), names]);
    const creatable = await session.query<Row & { name: string }>(CREATABLE_SQL, [names]);
    return {
      states,
      installed: new Map(installed.map((row) => [row.name, row])),
      creatable: new Set(creatable.map(({ name }) => name)),
      preloaded: await readPreloaded(context),
    };
  },
  judge: (facts, { extensions: declared, here }) => {
    const names = new Set(declared.map(({ name }) => name));
    const strays = [...facts.installed.values()].filter(({ name, inTenant }) => inTenant && !names.has(name));
    const told = [
      ...declared.flatMap((extension) => judgeDeclared(extension, facts, here.user)),
      ...strays.map((row) => inTenant(row, 'public')),
    ];
    return told.length > 0 ? told : [finding('extensions', 'ok', { what: 'none declared, none in a tenant’s schema' })];
  },
});

function judgeDeclared(extension: DesiredExtension, facts: Facts, user: string): readonly Finding[] {
  const { name, schema: wanted, minVersion, phase } = extension;
  const state = facts.states.get(name);
  const more = facts.installed.get(name);
  const quoted = quoteIdentifier(name);
  const into = wanted === null ? '' : ` SCHEMA ${quoteIdentifier(wanted)}`;
  const { installedVersion: is = null, availableVersion: available = null } = state ?? {};
  const isOld = (version: string) => minVersion !== null && compareVersions(version, minVersion) < 0;
  if (is === null) {
    if (available === null || isOld(available))
      return [
        finding('extensions', 'problem', {
          what:
            available === null
              ? `${name} is neither installed nor available on the server`
              : `${name} is available at ${available}, ${minVersion} or newer is needed`,
          why: `phase ${phase} needs it: plan and apply end with an error`,
          remedy: `install its files on the server, then as an administrator the statement; or choose another backend: --backend ${phase}=NAME`,
          statements: [`CREATE EXTENSION ${quoted}${into}`],
        }),
      ];
    const may = facts.creatable.has(name);
    return [
      ...preloading(extension, facts),
      finding('extensions', may ? 'note' : 'problem', {
        what: `${name} is not installed; ${available} is available${may ? '' : `, and role ${user} may not create it`}`,
        why: may
          ? 'apply creates it once, before any tenant'
          : `apply would fail at its first statement for phase ${phase}`,
        remedy: may ? null : 'as an administrator:',
        statements: [`CREATE EXTENSION ${quoted}${into}`],
      }),
    ];
  }
  const told: Finding[] = [...preloading(extension, facts)];
  if (isOld(is))
    told.push(
      finding('extensions', 'problem', {
        what: `${name} is at ${is}, ${minVersion} or newer is needed`,
        why: `phase ${phase} needs it: plan and apply end with an error`,
        remedy: 'as an administrator, with the files of a newer version on the server:',
        statements: [`ALTER EXTENSION ${quoted} UPDATE`],
      }),
    );
  else if (available !== null && compareVersions(is, available) < 0)
    told.push(
      finding('extensions', 'note', {
        what: `${name} is at ${is}, and the server has the files of ${available}`,
        why: 'the newer library serves the older objects meanwhile; what the newer version adds is missing',
        remedy: 'as an administrator, when its release notes have been read:',
        statements: [`ALTER EXTENSION ${quoted} UPDATE`],
      }),
    );
  if (more?.inTenant === true && more.schema !== wanted) told.push(inTenant(more, wanted ?? 'public'));
  else if (more !== undefined && wanted !== null && more.schema !== wanted) told.push(elsewhere(more, wanted));
  if (told.length > 0) return told;
  return [finding('extensions', 'ok', { what: `${name} ${is} in schema ${more?.schema ?? state?.schema ?? ''}` })];
}

/** Of a library that has to be there before the first session: at the server's start, or never. */
function preloading({ name, preload }: DesiredExtension, { preloaded }: Facts): readonly Finding[] {
  if (preload === null || preloaded?.includes(preload) === true) return [];
  if (preloaded === null)
    return [
      finding('extensions', 'note', {
        what: `whether the server preloads ${preload}, which ${name} needs, is hidden from this role`,
        why: 'without it the extension can be neither created nor used',
        remedy: 'look as a role with pg_read_all_settings, or pg_monitor',
      }),
    ];
  const libraries = [...preloaded, preload].map((library) => quoteLiteral(library).trim()).join(', ');
  return [
    finding('extensions', 'problem', {
      what: `${name} needs the library ${preload} among shared_preload_libraries, and it is not there`,
      why: 'without it the extension can be neither created nor used',
      remedy: 'add it, which takes a restart:',
      statements: [`ALTER SYSTEM SET shared_preload_libraries = ${libraries}`],
    }),
  ];
}

/** Asked for only where an extension needs one. */
async function readPreloaded({ session, extensions: declared }: CheckContext): Promise<readonly string[] | null> {
  if (declared.every(({ preload }) => preload === null)) return [];
  const [row] = await session.query<Row & { libraries: string }>(
    `select s.setting libraries from pg_catalog.pg_settings s where s.name = 'shared_preload_libraries'`,
  );
  if (row === undefined) return null;
  return [...row.libraries.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/gu)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

const uses = ({ columns, tenants }: MoreRow): string =>
  columns === 0 ? '' : ` (${counted(columns, 'column')} in ${counted(tenants, 'tenant')} now)`;

const move = ({ name, relocatable }: MoreRow, to: string): readonly string[] =>
  relocatable ? [`ALTER EXTENSION ${quoteIdentifier(name)} SET SCHEMA ${quoteIdentifier(to)}`] : [];

function inTenant(row: MoreRow, to: string): Finding {
  return finding('extensions', 'warning', {
    what: `${row.name} lives in the tenant schema "${row.schema}"`,
    why: `the columns and indexes of every other tenant depend on that tenant${uses(row)}: DROP SCHEMA … CASCADE of it would take them all along`,
    remedy: row.relocatable
      ? 'before that tenant is ever dropped, when no session relies on finding it there:'
      : 'it cannot be moved: never drop that schema',
    statements: move(row, to),
    subjects: [row.schema],
  });
}

function elsewhere(row: MoreRow, wanted: string): Finding {
  return finding('extensions', 'warning', {
    what: `${row.name} lives in schema "${row.schema}", declared "${wanted}"`,
    why: `trueup uses it where it is; a migration of the application that wants it in "${wanted}", and moves it by DROP EXTENSION … CASCADE, would drop every column of its types${uses(row)}`,
    remedy: row.relocatable
      ? `see that no migration does so; to have it where it is looked for, without a rewrite, when no session relies on "${row.schema}":`
      : 'see that no migration does so',
    statements: move(row, wanted),
    subjects: [row.schema],
  });
}

/** All installed ones; what uses their types only of declared ones and of those in a tenant. */
const INSTALLED_SQL = `
with ext as materialized (
  select e.oid, e.extname::text "name", n.nspname::text "schema", n.oid = any($1::oid[]) "inTenant", e.extrelocatable relocatable
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace),
typ as materialized (
  select ext.oid ext, t.oid
    from ext join pg_catalog.pg_depend d on d.refclassid = 'pg_catalog.pg_extension'::regclass and d.refobjid = ext.oid
         and d.deptype = 'e' and d.classid = 'pg_catalog.pg_type'::regclass
    join pg_catalog.pg_type t on t.oid = d.objid
   where ext."inTenant" or ext.name = any($2::text[])),
used as (
  select typ.ext, pg_catalog.count(*)::int4 columns, pg_catalog.count(distinct c.relnamespace)::int4 tenants
    from typ join pg_catalog.pg_attribute a on a.atttypid = typ.oid and not a.attisdropped
    join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and c.relnamespace = any($1::oid[])
   group by 1)
select ext.name, ext.schema, ext."inTenant", ext.relocatable, coalesce(used.columns, 0) columns, coalesce(used.tenants, 0) tenants
  from ext left join used on used.ext = ext.oid order by 1`.trim();

/** By a superuser any; else those that their control file trusts, by whoever may create in the database. */
const CREATABLE_SQL = `
select distinct v.name::text "name"
  from pg_catalog.pg_available_extension_versions() v
  join pg_catalog.pg_available_extensions() a on a.name = v.name and a.default_version = v.version
 where v.name = any($1::text[])
   and ((select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user)
     or (v.trusted or not v.superuser) and pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create'))`.trim();

import type { Row, Session } from '../database/session.js';
import type { DesiredExtension } from '../desired-state/model.js';
import type { NameKind, NameResolver } from '../sql/names.js';
import { METHOD_EXTENSION_SQL, qualified } from './detail-queries.js';

/** An extension as one database knows it. */
export interface ExtensionState {
  readonly name: string;
  /** Null when it is not installed. */
  readonly installedVersion: string | null;
  /** The schema that it was created in; null when it is not installed. */
  readonly schema: string | null;
  /** Null when the server does not have its files. */
  readonly availableVersion: string | null;
}

/** An access method of this database. */
export interface AccessMethod {
  readonly name: string;
  readonly extension: string | null;
}

/** Objects of one kind that one extension has in one schema, or that pg_catalog came with. */
export interface ObjectsRow extends Row {
  readonly kind: string;
  readonly ext: string;
  readonly schema: string;
  readonly names: readonly string[];
  /** Of an operator class: its access method. */
  readonly method: string | null;
}

/** The declared extensions, installed or not, and all access methods: two statements. */
export async function readExtensions(
  session: Session,
  names: readonly string[],
): Promise<{ readonly extensions: ReadonlyMap<string, ExtensionState>; readonly methods: readonly AccessMethod[] }> {
  const rows = await session.query<
    Row & { name: string; installed: string | null; schema: string | null; available: string | null }
  >(
    `select w.name, e.extversion installed, n.nspname::text "schema", a.default_version available
       from pg_catalog.unnest($1::text[]) w(name)
       left join pg_catalog.pg_extension e on e.extname = w.name
       left join pg_catalog.pg_namespace n on n.oid = e.extnamespace
       left join pg_catalog.pg_available_extensions() a on a.name = w.name`,
    [[...new Set(names)]],
  );
  const methods = await session.query<Row & AccessMethod>(
    `select am.amname::text "name", ${METHOD_EXTENSION_SQL} "extension" from pg_catalog.pg_am am where am.amtype = 'i'`,
  );
  return {
    extensions: new Map(
      rows.map((row) => [
        row.name,
        { name: row.name, installedVersion: row.installed, schema: row.schema, availableVersion: row.available },
      ]),
    ),
    methods: methods.map(({ name, extension }) => ({ name, extension })),
  };
}

/** What these extensions brought. */
export const readObjects = (session: Session, declared: readonly DesiredExtension[]): Promise<readonly ObjectsRow[]> =>
  session.query<ObjectsRow>(
    `with ext as (select e.oid, e.extname from pg_catalog.pg_extension e where e.extname = any($1::text[]))
     ${grouped(`
     select 'type' kind, ext.extname::text ext, n.nspname::text "schema", t.typname::text "name", null::text "method"
       from ext join pg_catalog.pg_depend d on d.refobjid = ext.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
        and d.classid = 'pg_catalog.pg_type'::regclass
       join pg_catalog.pg_type t on t.oid = d.objid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     union all
     select distinct 'function', ext.extname::text, n.nspname::text, p.proname::text, null::text
       from ext join pg_catalog.pg_depend d on d.refobjid = ext.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
        and d.classid = 'pg_catalog.pg_proc'::regclass
       join pg_catalog.pg_proc p on p.oid = d.objid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     union all
     select distinct 'operator', ext.extname::text, n.nspname::text, o.oprname::text, null::text
       from ext join pg_catalog.pg_depend d on d.refobjid = ext.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
        and d.classid = 'pg_catalog.pg_operator'::regclass
       join pg_catalog.pg_operator o on o.oid = d.objid join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
     union all
     select distinct 'operator-class', ext.extname::text, n.nspname::text, c.opcname::text, am.amname::text
       from ext join pg_catalog.pg_depend d on d.refobjid = ext.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
        and d.classid = 'pg_catalog.pg_opclass'::regclass
       join pg_catalog.pg_opclass c on c.oid = d.objid join pg_catalog.pg_namespace n on n.oid = c.opcnamespace
       join pg_catalog.pg_am am on am.oid = c.opcmethod`)}`,
    [declared.map((extension) => extension.name)],
  );

/** What pg_catalog has: what a server of its version came with. Three thousand names, asked once a database. */
export async function readBuiltIns(session: Session, database: object): Promise<readonly ObjectsRow[]> {
  const kept = builtIns.get(database);
  if (kept?.serverVersion === session.serverVersion) return kept.rows;
  const rows = await session.query<ObjectsRow>(BUILT_INS);
  builtIns.set(database, { serverVersion: session.serverVersion, rows });
  return rows;
}

/** One row a kind: as one row a name, thousands of them were most of what crossed the wire for a single tenant. */
const grouped = (objects: string): string => `
     select o.kind, o.ext, o."schema", o."method", pg_catalog.array_agg(o."name") names from (${objects}) o
      group by 1, 2, 3, 4 order by 1, 2, 3, 4`;

const builtIns = new WeakMap<object, { readonly serverVersion: number; readonly rows: readonly ObjectsRow[] }>();

const BUILT_INS = grouped(`
     select distinct 'operator-class' kind, '' ext, 'pg_catalog' "schema", c.opcname::text "name", am.amname::text "method"
       from pg_catalog.pg_opclass c join pg_catalog.pg_am am on am.oid = c.opcmethod where c.opcnamespace = 'pg_catalog'::regnamespace
     union all
     select 'type', '', 'pg_catalog', t.typname::text, null::text from pg_catalog.pg_type t where t.typnamespace = 'pg_catalog'::regnamespace and t.typrelid = 0
     union all
     select distinct 'function', '', 'pg_catalog', p.proname::text, null::text from pg_catalog.pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace`);

/** The default operator classes, as SQL, behind their methods: `method/opclass`. */
export async function readDefaultOpclasses(session: Session): Promise<readonly string[]> {
  const rows = await session.query<Row & { method: string; opclass: string }>(
    `select am.amname::text "method",
            ${qualified('n', 'c.opcname')} opclass
       from pg_catalog.pg_opclass c join pg_catalog.pg_am am on am.oid = c.opcmethod
       join pg_catalog.pg_namespace n on n.oid = c.opcnamespace where c.opcdefault`,
  );
  return rows.map((row) => `${row.method}/${row.opclass}`);
}

function toBeCreatedIn(
  declared: readonly DesiredExtension[],
  states: ReadonlyMap<string, ExtensionState>,
): string | null {
  const schemas = new Set(
    declared.flatMap((extension) =>
      states.get(extension.name)?.installedVersion == null && extension.schema !== null ? [extension.schema] : [],
    ),
  );
  return schemas.size === 1 ? ([...schemas][0] ?? null) : null;
}

/**
 * What names mean. A bare name of the desired state is pg_catalog's when pg_catalog has it; else the installed extension's that
 * brings it; else, while exactly one schema comes into question for the extensions that are still to be created, that one.
 */
export function namesOf(
  rows: readonly ObjectsRow[],
  declared: readonly DesiredExtension[],
  states: ReadonlyMap<string, ExtensionState>,
): NameResolver {
  const fallback = toBeCreatedIn(declared, states);
  const builtIn = new Set<string>();
  const bare = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const { kind, ext, schema, method, names } of rows)
    for (const name of names) {
      const keys = method === null ? [name] : [name, `${method}/${name}`];
      // An extension's too, that was made there after the built-in names were asked.
      if (schema === 'pg_catalog') for (const key of keys) builtIn.add(`${kind}/${key}`);
      if (ext !== '') {
        for (const key of keys) bare.set(`${kind}/${key}`, schema);
        owners.set(`${kind}/${schema}/${name}`, ext);
      }
    }
  return {
    schemaOf: (kind: NameKind, name, method) => {
      const key = `${kind}/${method === undefined ? name : `${method}/${name}`}`;
      return builtIn.has(key) ? null : (bare.get(key) ?? (kind === 'collation' ? null : fallback));
    },
    extensionOf: (kind: NameKind, schema, name) => owners.get(`${kind}/${schema}/${name}`) ?? null,
  };
}

import type { Database, Row, Session } from '../database/session.js';
import type { DesiredPhase } from '../desired-state/model.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { Diagnostic } from './fleet-plan.js';

/**
 * A backend may need schemas on the search_path of the application's sessions. trueup sets none of it: it looks whether the
 * server, the database or any role gives such a path to sessions of this database, and says so where nothing does. Asked only
 * where a phase of the run has such a need.
 */
export async function searchPathDiagnostics(
  session: Session,
  phases: readonly DesiredPhase[],
  database: Database,
): Promise<readonly Diagnostic[]> {
  const needs = phases.filter((phase) => phase.selected && phase.searchPath.length > 0);
  if (needs.length === 0) return [];
  const rows = await session.query<Row & { path: string }>(
    `select reset_val "path" from pg_catalog.pg_settings where name = 'search_path'
     union all
     select pg_catalog.substr(c, pg_catalog.length('search_path=') + 1)
       from pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
      where c like 'search\\_path=%'
        and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))`,
  );
  const paths = rows.map((row) => schemasOf(row.path));
  return needs.flatMap((phase) => {
    if (paths.some((path) => phase.searchPath.every((schema) => path.includes(schema)))) return [];
    const wanted = ['"$user"', 'public', ...phase.searchPath.map(quoteIdentifier)].join(', ');
    return [
      {
        severity: 'warning' as const,
        code: 'SEARCH_PATH_NEEDED' as const,
        message: `backend ${phase.backend?.resolved ?? phase.name} of phase ${phase.name} needs ${phase.searchPath.join(' and ')} on the search_path of the application's sessions, and neither the server nor the database nor a role puts them there`,
        remedy: `see that the application sets it, or: ALTER DATABASE ${quoteIdentifier(database.target.database)} SET search_path = ${wanted}`,
        database: database.id,
        schema: null,
      },
    ];
  });
}

/** The names of a search_path as it is stored: separated by commas, quoted where they have to be. */
const schemasOf = (path: string): readonly string[] =>
  [...path.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/gu)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? (bare ?? '').toLowerCase(),
  );

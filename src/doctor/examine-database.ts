import { relationsRead } from '../catalog/catalog-scope.js';
import { type Discovery, discoverTenants, type Tenant } from '../catalog/discover.js';
import { placeOf } from '../database/database-place.js';
import { type Database, DatabaseError, type Row, type Session } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import { checkTenantQuery } from '../plan/check-fragments.js';
import { type Resolved, resolveAlternatives, variantsOf } from '../plan/desired-variants.js';
import { TrueupError } from '../trueup-error.js';
import type { Check, CheckContext, Here } from './check.js';
import { autovacuum } from './checks/autovacuum.js';
import { buildMemory } from './checks/build-memory.js';
import { connections } from './checks/connections.js';
import { deadlockTimeout } from './checks/deadlock-timeout.js';
import { encoding } from './checks/encoding.js';
import { extensions } from './checks/extensions.js';
import { invalidIndexes } from './checks/invalid-indexes.js';
import { lockTable } from './checks/lock-table.js';
import { longTransactions } from './checks/long-transactions.js';
import { migrations } from './checks/migrations.js';
import { pooler } from './checks/pooler.js';
import { preparedTransactions } from './checks/prepared-transactions.js';
import { privileges } from './checks/privileges.js';
import { replicationSlots } from './checks/replication-slots.js';
import { searchPath } from './checks/search-path.js';
import { server } from './checks/server.js';
import { judgeTenants } from './checks/tenants.js';
import { unusedIndexes } from './checks/unused-indexes.js';
import { wraparound } from './checks/wraparound.js';
import type { ExaminedDatabase } from './examination.js';
import { CHECKS, type Finding, notLooked } from './finding.js';
import type { DoctorRequest } from './request.js';

/** All but the tenants', which is told by what finds them. */
const ALL: readonly Check[] = [
  server,
  encoding,
  connections,
  pooler,
  privileges,
  extensions,
  searchPath,
  lockTable,
  deadlockTimeout,
  buildMemory,
  longTransactions,
  preparedTransactions,
  replicationSlots,
  migrations,
  autovacuum,
  wraparound,
  invalidIndexes,
  unusedIndexes,
];

/**
 * Makes every check on one database. Reads catalogs only, outside of any transaction: what one check may not read keeps no
 * other from looking.
 */
export async function examineDatabase(
  database: Database,
  session: Session,
  request: DoctorRequest,
): Promise<ExaminedDatabase> {
  const here = await whereWeAre(session);
  const resolved = await resolve(session, database, request);
  const { desired } = resolved;
  const found = await findTenants(session, desired, request);
  const context: CheckContext = {
    database,
    session,
    request,
    desired,
    extensions: await extensionsOf(session, resolved, found.tenants, request, database.id),
    selection: request.selection,
    tenants: found.tenants,
    relations: relationsRead(desired),
    here,
  };
  const findings: Finding[] = [...found.findings];
  request.progress.phase('looking', ALL.length);
  for (const check of ALL) {
    findings.push(...(await made(check, context)));
    request.progress.advance();
  }
  return {
    ...placeOf(database),
    serverVersion: here.serverVersion,
    role: here.user,
    tenants: found.tenants.length,
    findings: findings.sort((left, right) => CHECKS.indexOf(left.check) - CHECKS.indexOf(right.check)),
  };
}

async function made(check: Check, context: CheckContext): Promise<readonly Finding[]> {
  try {
    return await check.run(context);
  } catch (error) {
    if (context.session.broken) throw error;
    // Another session than the one that looks was refused: the connections were taken meanwhile.
    if (error instanceof TrueupError && error.code === 'CONNECTION_FAILED')
      return [notLooked(check.name, error.message)];
    if (!(error instanceof DatabaseError)) throw error;
    return [notLooked(check.name, `${error.message} (SQLSTATE ${error.code})`)];
  }
}

async function whereWeAre(session: Session): Promise<Here> {
  const [row] = await session.query<Row & Here>(
    `select current_user::text "user", session_user::text "loginUser", pg_catalog.current_database()::text "database",
            pg_catalog.current_setting('server_version') "serverVersion", pg_catalog.pg_is_in_recovery() "inRecovery"`,
  );
  if (row === undefined) throw new Error('internal: no answer from the server');
  const { user, loginUser, database, serverVersion, inRecovery } = row;
  return { user, loginUser, database, serverVersion, inRecovery };
}

async function resolve(session: Session, database: Database, { desired, reload }: DoctorRequest) {
  if (reload === undefined) return { desired, diagnostics: [] };
  return resolveAlternatives(session, desired, reload, database.id);
}

interface Found {
  readonly tenants: readonly Tenant[];
  readonly findings: readonly Finding[];
}

/** Tenants that cannot be found because the rule's own query is refused are no end of the other checks. */
async function findTenants(session: Session, desired: DesiredState, request: DoctorRequest): Promise<Found> {
  const { query } = desired.tenants;
  if (query !== null) await checkTenantQuery(session, query);
  let found: Discovery;
  try {
    found = await discoverTenants(session, desired.tenants, { ...request.selection, allowEmpty: true });
  } catch (error) {
    if (!(error instanceof DatabaseError) || session.broken) throw error;
    return { tenants: [], findings: [notLooked('tenants', `${error.message} (SQLSTATE ${error.code})`)] };
  }
  return { tenants: found.tenants, findings: judgeTenants(found) };
}

/** Overrides may give some tenants backends whose extensions the others do not need. */
async function extensionsOf(
  session: Session,
  resolved: Resolved,
  tenants: readonly Tenant[],
  { reload }: DoctorRequest,
  database: string,
) {
  const { desired } = resolved;
  if (reload === undefined || desired.overrides.length === 0) return desired.extensions;
  const schemas = tenants.map(({ schema }) => schema);
  const variants = await variantsOf(session, resolved, schemas, reload, database);
  const all = variants.flatMap((variant) => variant.desired.extensions);
  return [...new Map(all.map((extension) => [extension.name, extension])).values()];
}

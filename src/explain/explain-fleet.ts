import { readOperatorSchemas } from '../catalog/callable.js';
import { discoverTenants } from '../catalog/discover.js';
import { readSurroundings } from '../catalog/surroundings.js';
import { placeOf } from '../database/database-place.js';
import type { Database, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { DesiredProbe } from '../desired-state/probe.js';
import { checkEvaluatedFragments, checkProbeRows, checkTenantQuery } from '../plan/check-fragments.js';
import { resolveAlternatives, variantsOf } from '../plan/desired-variants.js';
import { TrueupError } from '../trueup-error.js';
import { type ExplainContext, tenantProbe, valueNames } from './context.js';
import { explainProbe } from './explain-probe.js';
import type { ExplainedDatabase, Explanation, ProbeResult } from './explanation.js';
import { largestTenant } from './largest-tenant.js';
import type { ExplainRequest } from './request.js';

/**
 * Shows by which indexes the planner serves the probes of a desired state: on the named tenants, else on the largest of each
 * database; on the partition with the given values, else on the largest. Reads only, one database after the other; with
 * `hypothetical` indexes are dropped in transactions that are rolled back.
 * @throws {TrueupError} USAGE where there is nothing to probe; FRAGMENT_REFUSED for a probe that planning must not run
 */
export async function explainFleet(
  databases: Database | readonly Database[],
  request: ExplainRequest,
): Promise<Explanation> {
  const explained: ExplainedDatabase[] = [];
  const results: ProbeResult[] = [];
  const states = new Set<DesiredState>([request.desired]);
  try {
    for (const database of [databases].flat()) {
      const session = await database.connect();
      try {
        const part = await explainDatabase(database, session, request);
        explained.push(part.database);
        results.push(...part.results);
        for (const state of part.states) states.add(state);
      } finally {
        await session.close();
      }
    }
  } finally {
    request.progress.done();
  }
  return { createdAt: new Date(), states: [...states], databases: explained, results };
}

async function explainDatabase(database: Database, session: Session, request: ExplainRequest) {
  const { reload, selection, progress } = request;
  progress.phase('reading catalogs');
  const resolved =
    reload === undefined
      ? { desired: request.desired, diagnostics: [] }
      : await resolveAlternatives(session, request.desired, reload, database.id);
  const { desired } = resolved;
  probesOf(desired, request);
  if (desired.tenants.query !== null) await checkTenantQuery(session, desired.tenants.query);
  const found = await inTransaction(session, 'read only snapshot', () =>
    discoverTenants(session, desired.tenants, { ...selection, allowAbsent: false }),
  );
  const named = selection.schemas.length > 0;
  const tables = desired.probes.map((probe) => probe.table);
  const largest = named ? null : await largestTenant(session, found.tenants, tables);
  const schemas = named ? found.tenants.map((tenant) => tenant.schema) : largest === null ? [] : [largest];
  const variants =
    reload === undefined
      ? [{ ...resolved, schemas }]
      : await variantsOf(session, resolved, schemas, reload, database.id);
  const results: ProbeResult[] = [];
  progress.phase('planning probes', schemas.length * probesOf(desired, request).length);
  for (const variant of variants.filter((one) => one.schemas.length > 0)) {
    const context = await contextOf(database, session, variant.desired, request);
    for (const schema of variant.schemas)
      for (const probe of probesOf(variant.desired, request)) {
        results.push(await explainProbe(context, schema, probe));
        progress.advance();
      }
  }
  return {
    database: await describe(database, session, schemas, named ? null : found.tenants.length),
    states: variants.map((variant) => variant.desired),
    results,
  };
}

/** The probes of the request. @throws {TrueupError} USAGE where there are none */
function probesOf(desired: DesiredState, request: ExplainRequest): readonly DesiredProbe[] {
  const { probes } = desired;
  if (probes.length === 0) {
    const backends = desired.phases.flatMap(({ name, selected, backend }) =>
      selected ? [backend === null ? name : `${name}=${backend.resolved}`] : [],
    );
    throw new TrueupError('USAGE', `none of ${backends.join(', ')} declares a probe`, {
      where: desired.directory,
      remedy: 'declare `probes` in the files of these phases or backends, or choose others: --phase, --backend',
    });
  }
  const names = [...new Set(probes.map((probe) => probe.name))];
  const unknown = request.probes.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TrueupError('USAGE', `there is no probe ${unknown}`, {
      where: `--probe ${unknown}`,
      remedy: `name one of ${names.join(', ')}`,
    });
  }
  const asked = request.probes.length === 0 ? probes : probes.filter((probe) => request.probes.includes(probe.name));
  return withValues(asked, desired, Object.keys(request.values));
}

/** Those whose partitions have the values that were asked for. */
function withValues(
  probes: readonly DesiredProbe[],
  desired: DesiredState,
  names: readonly string[],
): readonly DesiredProbe[] {
  if (names.length === 0) return probes;
  const known = probes.map((probe) => valueNames(tenantProbe({ desired }, '', probe)));
  const unknown = names.find((name) => !known.flat().includes(name)) ?? names[0] ?? '';
  const fitting = probes.filter((_, at) => names.every((name) => known[at]?.includes(name)));
  if (fitting.length > 0) return fitting;
  const all = [...new Set(known.flat())];
  throw new TrueupError('USAGE', `no probe has partitions with a value ${unknown}`, {
    where: `--value ${unknown}`,
    remedy:
      all.length === 0 ? 'leave out --value: whole tables are probed' : `name values of one probe: ${all.join(', ')}`,
  });
}

async function contextOf(
  database: Database,
  session: Session,
  desired: DesiredState,
  request: ExplainRequest,
): Promise<ExplainContext> {
  const declared = desired.extensions.map((extension) => extension.name);
  await checkEvaluatedFragments(session, desired);
  await checkProbeRows(session, desired.probes);
  const operators = await readOperatorSchemas(session, declared);
  return {
    session,
    database: database.id,
    request,
    desired,
    names: (await readSurroundings(session, desired, database)).names,
    operatorSchema: (operator) => operators.get(operator) ?? null,
  };
}

async function describe(
  database: Database,
  session: Session,
  schemas: readonly string[],
  tenants: number | null,
): Promise<ExplainedDatabase> {
  const [who] = await session.query<{ role: string; version: string }>(
    `select current_user::text "role", pg_catalog.current_setting('server_version') "version"`,
  );
  return {
    ...placeOf(database),
    serverVersion: who?.version ?? '',
    role: who?.role ?? '',
    tenants,
    schemas,
  };
}

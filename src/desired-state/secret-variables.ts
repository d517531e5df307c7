import type { FleetDocument } from './documents.js';
import { type LoadOptions, own } from './load-options.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** Variables that trueup and libpq read a connection, or what belongs to one, from. */
const CONNECTION = /^(?:TRUEUP_DATABASE_URL|TRUEUP_EMBEDDED|DATABASE_URL|PG[A-Z]+)$/u;

/** A URL with a password in it. */
const WITH_PASSWORD = /^\s*[a-z][a-z0-9+.-]*:\/\/[^/\s]*:[^/\s]*@/iu;

/**
 * Refuses files that take a value which plans show (of a parameter, a backend's name, a schema's) from a variable that
 * holds a connection: a plan made for somebody's change would print the password that it connects with.
 * @throws {TrueupError} DESIRED_STATE_INVALID
 */
export function refuseSecretVariables(
  fleet: FleetDocument,
  root: Place,
  options: LoadOptions,
  problems: Problems,
): void {
  const connections = [
    ...(fleet.connection?.env ?? []),
    ...(fleet.targets ?? []).flatMap(({ url_env: single, env = [] }) => [
      ...env,
      ...(single === undefined ? [] : [single]),
    ]),
  ];
  let refused = false;
  for (const { variable, place } of shownVariables(fleet, root)) {
    const named = CONNECTION.test(variable) || connections.includes(variable);
    if (!named && !WITH_PASSWORD.test(own(options.environment, variable) ?? '')) continue;
    refused = true;
    problems.invalid(
      `the variable ${variable} ${named ? 'says where the database is' : 'holds a connection string'}, and its value would be shown in plans`,
      valueAt(place),
      'name a variable that holds no secret',
    );
  }
  // Now: what is found wrong later could name the value.
  if (refused) problems.throwIfAny();
}

/** Every variable whose value a plan shows, and where the files name it. */
function shownVariables(fleet: FleetDocument, root: Place): readonly { variable: string; place: Place }[] {
  const base = fleet.tenants.base_schema;
  const named = [
    { variable: typeof base === 'object' ? base.env : undefined, place: within(root, 'tenants', 'base_schema', 'env') },
    ...fleet.phases.map(({ select }, index) => ({
      variable: select?.env,
      place: within(root, 'phases', index, 'select', 'env'),
    })),
    ...Object.entries(fleet.parameters ?? {}).map(([name, { env }]) => ({
      variable: env,
      place: within(root, 'parameters', name, 'env'),
    })),
  ];
  return named.flatMap(({ variable, place }) => (variable === undefined ? [] : [{ variable, place }]));
}

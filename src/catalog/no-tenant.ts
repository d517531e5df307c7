import { join } from 'node:path';
import { TrueupError } from '../trueup-error.js';

/** No tenant was found. @param excluded whether there would be some, but for patterns */
export const noTenant = (why: string, excluded: boolean, directory?: string): TrueupError =>
  new TrueupError('NO_TENANT', `no tenant found: ${why}`, {
    ...(directory === undefined ? {} : { where: `${join(directory, 'fleet.yaml')}: tenants` }),
    remedy: `check the database, ${excluded ? 'what is excluded (exclude in fleet.yaml, --exclude-schema), ' : ''}\
and the desired state (--desired-state; trueup inspect writes that of a tenant that exists); \
name a tenant with --schema; make one with trueup apply --create-schema --schema NAME; or pass --allow-empty`,
  });

import type { VisitedDatabase } from '../database/database-place.js';
import { visible } from './visible.js';

/** `Target: postgresql 17.2 at db.example:5432, database app, role deploy (from --database-url)`. */
export function targetLine(database: VisitedDatabase, isOneOfSeveral: boolean): string {
  const { id, host, port, name, serverVersion, role, source } = database;
  const server =
    host === 'embedded'
      ? `embedded postgresql ${serverVersion}`
      : `postgresql ${serverVersion} at ${visible(host)}${port === null ? '' : `:${port}`}`;
  const which = isOneOfSeveral ? ` ${visible(id)}` : '';
  return `Target${which}: ${server}, database ${visible(name)}, role ${visible(role)} (from ${visible(source)})`;
}

import { readFileSync } from 'node:fs';
import { ConnectionUrlError } from './connection-url.js';

/**
 * The parameters of one service in a connection service file (libpq's `pg_service.conf`): `[name]`, then `key=value`.
 * @throws {ConnectionUrlError} when no file of the list has the service.
 */
export function serviceParameters(service: string, files: readonly string[]): Readonly<Record<string, string>> {
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue;
    }
    const parameters = sectionOf(text, service);
    if (parameters !== null) return parameters;
  }
  throw new ConnectionUrlError(`the service ${JSON.stringify(service)} is in none of ${files.join(', ')}`);
}

function sectionOf(text: string, service: string): Record<string, string> | null {
  let found: Record<string, string> | null = null;
  for (const raw of text.split(/\r?\n/u)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found !== null) return found;
      if (line === `[${service}]`) found = {};
      continue;
    }
    const equals = line.indexOf('=');
    if (found !== null && equals > 0) found[line.slice(0, equals).trim()] = line.slice(equals + 1).trim();
  }
  return found;
}

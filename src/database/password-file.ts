import { readFileSync, statSync } from 'node:fs';

/** A line's four patterns and its password, by the rules of libpq's password file. */
const FIELDS = 5;

/**
 * The password that a password file holds for a connection, or null. By libpq's rules: the first line that matches
 * wins, `*` matches all, `\` escapes, a socket directory counts as `localhost`, and a file that others may read is
 * not used. node-postgres would do it, with a deprecation warning on the user's terminal.
 */
export function passwordFrom(
  file: string,
  connection: { readonly host: string; readonly port: number; readonly database: string; readonly user: string },
): string | null {
  let text: string;
  try {
    const status = statSync(file);
    if (!status.isFile() || (process.platform !== 'win32' && (status.mode & 0o077) !== 0)) return null;
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const host = connection.host.startsWith('/') ? 'localhost' : connection.host;
  const wanted = [host, String(connection.port), connection.database, connection.user];
  for (const line of text.split(/\r?\n/u)) {
    if (line === '' || line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    const password = fields[FIELDS - 1];
    if (password !== undefined && wanted.every((value, index) => matches(fields[index], value))) return password.text;
  }
  return null;
}

interface Field {
  readonly text: string;
  readonly raw: string;
}

const matches = (field: Field | undefined, value: string): boolean => field?.raw === '*' || field?.text === value;

function fieldsOf(line: string): readonly Field[] {
  const raw = line.match(/(?<=^|:)(?:[^:\\]|\\.)*(?=:|$)/gu) ?? [];
  return raw.map((field) => ({ raw: field, text: field.replaceAll(/\\(.)/gu, '$1') }));
}

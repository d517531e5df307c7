import { withClient } from './build-fleet.js';

/** Lets work change a copy of a database, which is dropped at the end: the fleet that is kept stays as it was built. */
export async function onCopy<T>(url: string, work: (url: string) => Promise<T>): Promise<T> {
  const original = decodeURIComponent(new URL(url).pathname.slice(1));
  const name = `${original}_bench_copy`;
  const administrator = withDatabase(url, 'postgres');
  const drop = () =>
    withClient(administrator, (client) =>
      client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`),
    );
  await drop();
  await withClient(administrator, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    // From 15 on the default writes the whole copy to the write-ahead log.
    const strategy = (rows[0]?.version ?? 0) >= 150_000 ? ' STRATEGY file_copy' : '';
    await client.query(
      `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE ${client.escapeIdentifier(original)}${strategy}`,
    );
  });
  try {
    return await work(withDatabase(url, name));
  } finally {
    await drop();
  }
}

function withDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

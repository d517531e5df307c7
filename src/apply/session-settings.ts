import { quoteIdentifier } from '../sql/quote.js';
import type { Worker } from './crew.js';

/** Sets settings of a worker's session. */
export async function configure({ session }: Worker, settings: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(settings);
  await session.query(
    `select ${names.map((_, at) => `pg_catalog.set_config($${at * 2 + 1}, $${at * 2 + 2}, false)`).join(', ')}`,
    names.flatMap((name) => [name, settings[name] ?? '']),
  );
}

/** Takes back what {@link configure} has set. */
export async function reset({ session }: Worker, names: readonly string[]): Promise<void> {
  const isLimit = (name: string) => name === 'statement_timeout' || name === 'lock_timeout';
  const statements = names.map((name) => `SET ${quoteIdentifier(name)} ${isLimit(name) ? '= 0' : 'TO DEFAULT'}`);
  await session.script(statements).catch(() => {});
}

import { type FleetOptions, type FleetUnderTest, openFleet } from '../fleet.js';
import { type StandInServer, startStandInServer } from './server.js';

/** Narrow, so that ten thousand of them are quick to write. */
export const DIMENSION = '3';

/** Options that name the backends, and keep embeddings narrow in what is made. */
export const on = (backends: Readonly<Record<string, string>>, options: FleetOptions = {}): FleetOptions => ({
  ...options,
  load: { parameters: { embedding_dimension: DIMENSION }, ...options.load, backends },
});

/** Memories of one bank with an embedding each, `from` … `to`; `embedding` null: without. */
export const memories = (
  schema: string,
  bank: string,
  count: number,
  { fact = 'world', embedding = "'[1,2,3]'" }: { readonly fact?: string; readonly embedding?: string } = {},
): string =>
  `INSERT INTO ${schema}.memory_units (bank_id, text, fact_type, embedding)
   SELECT '${bank}', 'memory ' || n, '${fact}', ${embedding} FROM generate_series(1, ${count}) n;`;

/** A mental model with an embedding; its bank must be there. */
export const mentalModel = (schema: string, bank: string): string =>
  `INSERT INTO ${schema}.mental_models (bank_id, name, source_query, content, embedding)
   VALUES ('${bank}', 'a name', 'a query', 'some content', '[1,2,3]');`;

/** What changes a database. */
export const isDdl = (sql: string): boolean => /^\s*(?:CREATE|ALTER|DROP|LOCK|UPDATE|INSERT|DELETE)\b/iu.test(sql);

/** One index as a reader would write it: schemas left out. */
export interface FoundIndex {
  readonly name: string;
  readonly valid: boolean;
  readonly definition: string;
}

/** A database of its own on the stand-in server, with the library on it. */
export interface StandInFleet extends FleetUnderTest {
  exec(script: string): Promise<void>;
  query<Row extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A tenant's indexes of some methods, by table and name: `USING …` and what follows. */
  indexes(schema: string, methods: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

/** The server that all tests of a file share, and what they opened on it. */
export async function openStandIns() {
  const server: StandInServer = await startStandInServer({ settings: { log_lock_waits: 'off' } });
  const open: { close(): Promise<unknown> }[] = [];
  let number = 0;
  return {
    server,
    fleet: async (extensions: readonly string[] = []): Promise<StandInFleet> => {
      number += 1;
      const url = await server.createDatabase(`stand_in_${number}`, extensions);
      const client = await server.connect(url);
      const fleet = await openFleet(url);
      open.push(fleet, { close: () => client.end() });
      const query = async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(sql, [...values])).rows;
      return {
        ...fleet,
        statements: fleet.statements,
        exec: async (script) => {
          await client.query(script);
        },
        query,
        indexes: async (schema, methods) => {
          const rows = await query<FoundIndex>(
            `SELECT c.relname::text "name", i.indisvalid "valid",
                    regexp_replace(regexp_replace(pg_get_indexdef(c.oid), '^.* USING ', ''), '::text', '', 'g') definition
               FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
              WHERE c.relnamespace = $1::regnamespace AND a.amname = any($2) ORDER BY 1`,
            [schema, methods],
          );
          return Object.fromEntries(
            rows.map(({ name, valid, definition }) => [name, `${valid ? '' : 'INVALID '}${definition}`]),
          );
        },
      };
    },
    close: async () => {
      for (const one of open.splice(0)) await one.close();
      await server.remove();
    },
  };
}

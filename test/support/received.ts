import type { Database, Session } from '../../src/database/session.js';

/** A database that counts the characters of all results that come over its sessions, and notes all parameters. */
export function watchedDatabase(database: Database): {
  readonly database: Database;
  readonly parameters: readonly (readonly unknown[])[];
  received(): number;
} {
  let received = 0;
  const noted: (readonly unknown[])[] = [];
  const counting = (session: Session): Session =>
    new Proxy(session, {
      get: (of, name) => {
        if (name !== 'query') {
          const value: unknown = Reflect.get(of, name, of);
          return typeof value === 'function' ? value.bind(of) : value;
        }
        return async (...parameters: Parameters<Session['query']>) => {
          noted.push(parameters[1] ?? []);
          const rows = await of.query(...parameters);
          received += JSON.stringify(rows).length;
          return rows;
        };
      },
    });
  const counted: Database = Object.assign(Object.create(database), {
    connect: async () => counting(await database.connect()),
  });
  return { database: counted, parameters: noted, received: () => received };
}

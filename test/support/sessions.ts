import { connectServer } from '../../src/database/pg-database.js';
import type { Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';

/** Sessions of the library on one server's databases, all ended by {@link close}. */
export interface TestSessions {
  open(url: string): Promise<Session>;
  close(): Promise<void>;
}

/** Opens sessions as a run does, for tests of what it asks through them. */
export function testSessions(): TestSessions {
  const closing: (() => Promise<void>)[] = [];
  return {
    async open(url) {
      const target = resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
      if (target.kind !== 'server') throw new Error('not a server');
      const database = connectServer(target, { id: 'main' });
      closing.push(() => database.close());
      return database.connect();
    },
    async close() {
      await Promise.all(closing.splice(0).map((end) => end()));
    },
  };
}

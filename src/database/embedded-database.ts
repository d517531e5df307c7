import type { PGlite } from '@electric-sql/pglite';
import { TrueupError } from '../trueup-error.js';
import { optimiseAgain } from '../webassembly-tiers.js';
import { beginSession, type Send } from './begin-session.js';
import { connectionFailure } from './connection-failure.js';
import { databaseError, isServerError } from './database-errors.js';
import { realDirectory, takeDirectory } from './embedded-directory.js';
import { EmbeddedSession } from './embedded-session.js';
import { Limiter } from './limiter.js';
import { CONNECTION_CLOSED, type DatabaseOptions } from './options.js';
import { type Database, DatabaseError, type Row, type Session, type TargetDescription } from './session.js';
import { parameterText, VALUE_PARSERS } from './values.js';

/** Options of {@link openEmbedded}. */
export interface EmbeddedOptions extends DatabaseOptions {
  /** Where the choice came from; `--embedded` unless given. */
  readonly source?: string;
}

/**
 * Starts the PostgreSQL that comes with the package (PGlite), with the extensions vector, pg_trgm and pg_textsearch
 * available. It runs inside this process and has one session: {@link Database.connect} waits for the other to be closed.
 * @param directory absolute path of the data directory; null: in memory
 * @throws {TrueupError} CONNECTION_FAILED when the directory is in use, or not one of this version
 */
export async function openEmbedded(directory: string | null, options: EmbeddedOptions): Promise<Database> {
  const target: TargetDescription = {
    kind: 'embedded',
    host: directory ?? 'memory',
    port: null,
    database: 'postgres',
    user: 'postgres',
    source: options.source ?? '--embedded',
  };
  const real = directory === null ? null : realDirectory(directory);
  const release = real === null ? () => {} : takeDirectory(real);
  let engine: PGlite;
  try {
    engine = await start(real);
  } catch (error) {
    release();
    throw error instanceof Error ? connectionFailure(error, target, []) : filesRefused(target);
  }
  return new EmbeddedDatabase(engine, target, options, release);
}

class EmbeddedDatabase implements Database {
  readonly id: string;
  readonly maxSessions = 1;
  readonly spare = 0;
  readonly #places = new Limiter(1);
  #session: EmbeddedSession | null = null;
  #closing: Promise<void> | null = null;

  constructor(
    readonly engine: PGlite,
    readonly target: TargetDescription,
    readonly options: DatabaseOptions,
    readonly release: () => void,
  ) {
    this.id = options.id;
  }

  async connect(): Promise<Session> {
    const give = await this.#places.take();
    try {
      const send = sendTo(this.engine);
      await reset(send);
      const pinned = { role: this.options.role ?? null, clientCheck: false };
      const observed: Send = (sql, parameters) => {
        this.options.observe?.({ sql, parameters });
        return send(sql, parameters);
      };
      const { serverVersion } = await beginSession(observed, pinned, this.target);
      this.#session = new EmbeddedSession(observed, serverVersion, async () => {
        await reset(send).catch(() => {});
        this.#session = null;
        give();
      });
      return this.#session;
    } catch (error) {
      give();
      throw connectionFailure(error, this.target, []);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  cut(): void {}

  async #close(): Promise<void> {
    this.#places.close(CONNECTION_CLOSED);
    await this.#session?.close();
    try {
      await this.engine.close();
    } catch {
      // An engine that has crashed cannot be closed; its memory goes with the process.
    } finally {
      this.release();
    }
  }
}

async function start(directory: string | null): Promise<PGlite> {
  optimiseAgain();
  const [{ PGlite }, { vector }, { pg_trgm }, { pg_textsearch }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite-pgvector'),
    import('@electric-sql/pglite/contrib/pg_trgm'),
    import('@electric-sql/pglite-pg_textsearch'),
  ]);
  const extensions = { vector, pg_trgm, pg_textsearch };
  const engine = new PGlite({ ...(directory === null ? {} : { dataDir: directory }), extensions });
  await engine.waitReady;
  // Its own would make numbers of bigint and dates of timestamps, and its serializers would ask for them.
  engine.parsers = Object.fromEntries(VALUE_PARSERS);
  engine.serializers = {};
  return engine;
}

/** What the engine's file system throws is no Error, and would read as [object Object]. */
const filesRefused = ({ host }: TargetDescription): TrueupError =>
  new TrueupError('CONNECTION_FAILED', 'the embedded database cannot read or write its files', {
    where: host,
    remedy: 'see that this user may read and write the directory and everything in it, or name another directory',
  });

/** One statement by the extended protocol. */
function sendTo(engine: PGlite): Send {
  return async (sql, parameters) => {
    try {
      const result = await engine.query<Row>(sql, parameters.map(parameterText));
      return result.rows;
    } catch (error) {
      if (isServerError(error)) throw databaseError(error, []);
      throw new DatabaseError(
        `the embedded PostgreSQL failed: ${error instanceof Error ? error.message : ''}`,
        '08006',
      );
    }
  };
}

/** Nothing of one session (a transaction, settings, locks, temporary tables) may reach the next. */
async function reset(send: Send): Promise<void> {
  await send('ROLLBACK', []);
  await send('DISCARD ALL', []);
}

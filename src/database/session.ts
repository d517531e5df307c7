/** One row of a result, by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** What became of some transactions that were sent in one message. */
export interface TransactionsMade {
  /** How many, from the first on, were committed. */
  readonly made: number;
  /** What the next one failed with; those behind it were not begun. Of a connection that is lost nobody knows what was made. */
  readonly error: DatabaseError | null;
}

/** How a statement is sent. */
export interface QueryMode {
  readonly kept?: boolean;
}

/**
 * One connection to one PostgreSQL, over pg or the embedded PGlite; nothing above this floor knows which. Session state
 * (settings, advisory locks, an open transaction) belongs to it. Not safe for concurrent use: one statement, or one script,
 * at a time; but see `transactions`.
 */
export interface Session {
  /** server_version_num, e.g. 170002. */
  readonly serverVersion: number;
  /** The server's process id of this session, as pg_backend_pid() says; behind a pooler the protocol's is another. */
  readonly pid: number;
  /** The process id that the protocol's key data gave; another than `pid` proves a pooler. Null: none was given. */
  readonly announcedPid: number | null;
  /** The connection is lost or closed: no statement will be answered any more. */
  readonly broken: boolean;
  /** Whether the database runs within this process, alone: no other session is at work beside this one. */
  readonly embedded: boolean;
  /**
   * Sends one statement and gives its rows. Values: text, numbers of 32 bits and booleans as JavaScript's; bigint and
   * numeric as text; json and jsonb parsed; arrays of text and int as arrays.
   * @param how kept: the server may keep the statement, parsed and planned, for as long as the connection lasts. For a few long
   * ones that come again
   * @throws {DatabaseError} with the server's SQLSTATE, or `08006` when the connection is lost.
   */
  query<R extends Row = Row>(sql: string, parameters?: readonly unknown[], how?: QueryMode): Promise<readonly R[]>;
  /**
   * Sends statements without parameters in one round trip and gives the rows of each. The first that fails ends them: those
   * behind it do not run. For a transaction's statements: outside one the protocol makes them a transaction of their own.
   * @throws {DatabaseError} the first error
   */
  script(statements: readonly string[]): Promise<readonly (readonly Row[])[]>;
  /**
   * Sends scripts, each of which is a whole transaction, as one message: a script's first statement begins it, its last one
   * commits it. Each must be one statement for sure: the server would run whatever else stood there. They are made in order, up
   * to the first that fails. Another message may be sent before this one is answered, and the server goes on to it without
   * waiting for this process. What failed within its transaction leaves that open, and the other message does nothing but fail
   * with 25P02: a ROLLBACK is then the caller's to send.
   */
  transactions(scripts: readonly (readonly string[])[]): Promise<TransactionsMade>;
  /**
   * Sends some `COPY … TO STDOUT` as one message, and gives each row as it comes: of which statement, and its columns' texts. They
   * are one transaction; the first that fails ends them. Names must be quoted: the server would run whatever else stood there.
   * Undefined where the engine has no COPY to its client.
   * @throws {DatabaseError} the first error
   */
  copyOut?(
    statements: readonly string[],
    row: (statement: number, values: readonly (string | null)[]) => void,
  ): Promise<void>;
  /** Ends the connection (for the embedded PostgreSQL: hands it back). Never throws. */
  close(): Promise<void>;
  /**
   * Ends the session, and leaves its connection for a while to whoever connects next. Only for a session that leaves nothing
   * behind: no lock, no setting, no temporary table. Never throws.
   */
  release(): Promise<void>;
}

/** A database that sessions are opened on. */
export interface Database {
  /** `main`, or what the operator called it. */
  readonly id: string;
  /** What a report may say of it: never a password. */
  readonly target: TargetDescription;
  /** How many sessions may be open at once; 1 for the embedded PostgreSQL. */
  readonly maxSessions: number;
  /** How many sessions can be opened without another connection: those that were released a moment ago. */
  readonly spare: number;
  /** Opens a session with the settings of {@link pinnedSettings} in force. Waits when `maxSessions` are open. */
  connect(): Promise<Session>;
  /** Ends whatever is still open. */
  close(): Promise<void>;
  /**
   * Cuts the connection of every open session, and waits for nothing: what runs fails with `08006` at once. For when even a
   * goodbye may stay without an answer, as behind a firewall that drops what it is sent. The embedded PostgreSQL goes on: it
   * has no connection.
   */
  cut(): void;
}

/** Where a run is pointed at, and who said so. */
export interface TargetDescription {
  readonly kind: 'server' | 'embedded';
  readonly host: string;
  readonly port: number | null;
  readonly database: string;
  readonly user: string;
  /** `--database-url`, `TRUEUP_DATABASE_URL`, `PG* variables` … */
  readonly source: string;
}

/** Called with each statement as it is sent: for logs, for the bench, for tests that count. */
export type StatementObserver = (statement: { readonly sql: string; readonly parameters: readonly unknown[] }) => void;

/** What the server answered instead of rows. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  constructor(
    message: string,
    /** SQLSTATE. */
    readonly code: string,
    readonly details: {
      readonly detail?: string;
      readonly hint?: string;
      readonly where?: string;
      readonly constraint?: string;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

import { readFileSync, statSync } from 'node:fs';

/** One entry of a server's log. */
export interface LogEntry {
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  readonly application: string;
  readonly level: string;
  /** Lines that follow the first are joined to it. */
  readonly message: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a server must print before each line for {@link readLog}: `log_line_prefix`. */
export const LOG_LINE_PREFIX = '%m [%p] %u@%d/%a ';

const ENTRY = /^\S+ \S+ \S+ \[(\d+)\] (\S*?)@(\S*?)\/(.*?) ([A-Z]+[0-9]?): {2}(.*)$/u;

/** The log's length now, to read from later. */
export const logPosition = (file: string): number => statSync(file).size;

/** The entries that were written since a position. */
export function readLog(file: string, from: number): readonly LogEntry[] {
  const entries: Mutable<LogEntry>[] = [];
  for (const line of readFileSync(file).subarray(from).toString('utf8').split('\n')) {
    const match = ENTRY.exec(line);
    if (match !== null) {
      const [, pid, user, database, application, level, message] = match;
      entries.push({
        pid: Number(pid),
        user: user ?? '',
        database: database ?? '',
        application: application ?? '',
        level: level ?? '',
        message: message ?? '',
      });
      continue;
    }
    const last = entries.at(-1);
    if (last !== undefined && line.startsWith('\t')) last.message += `\n${line.slice(1)}`;
  }
  return entries;
}

/** A statement that a session executed. */
export interface LoggedStatement {
  readonly pid: number;
  readonly application: string;
  readonly sql: string;
}

/** The statements that one user's sessions executed (`log_statement = all`), in order. */
export const statementsOfUser = (entries: readonly LogEntry[], user: string): readonly LoggedStatement[] =>
  entries.flatMap(({ level, message, pid, application, user: by }) => {
    const sql = /^(?:statement|execute [^:]*): ([\s\S]*)$/u.exec(message)?.[1];
    return by === user && level === 'LOG' && sql !== undefined ? [{ pid, application, sql: sql.trim() }] : [];
  });

/** Whether a statement changes or locks anything. */
export const changesSomething = (sql: string): boolean =>
  /^(?:create|alter|drop|update|insert|delete|lock|truncate|comment|grant|revoke|reindex|refresh|merge|copy|do|call)\b/iu.test(
    sql,
  );

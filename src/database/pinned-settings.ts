/** What a setting must be, whatever the role, the database or the pooler made it. */
export type PinnedSetting = readonly [name: string, value: string];

/** Settings that change what a statement means, what text the server writes, or when it gives up. */
const SETTINGS: readonly PinnedSetting[] = [
  ['search_path', ''],
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  ['quote_all_identifiers', 'off'],
  ['standard_conforming_strings', 'on'],
  ['transform_null_equals', 'off'],
  ['jit', 'off'],
  // Fails where rows would be hidden: fewer rows of a family's table would make members look orphaned.
  ['row_security', 'off'],
  ['default_transaction_isolation', 'read committed'],
  ['statement_timeout', '0'],
  ['lock_timeout', '0'],
  ['transaction_timeout', '0'],
  ['idle_session_timeout', '0'],
  // A process that hangs must not hold its locks for ever.
  ['idle_in_transaction_session_timeout', '10min'],
  // Nor one whose machine or network is gone without a word: the systems' own settings notice that after two hours. In seconds,
  // and it makes ten minutes in all.
  ['tcp_keepalives_idle', '60'],
  ['tcp_keepalives_interval', '60'],
  ['tcp_keepalives_count', '9'],
];

/** The server ends a build whose client was killed within a second, instead of when it is done. */
const CLIENT_CHECK: PinnedSetting = ['client_connection_check_interval', '1s'];

/** How a session begins. */
export interface PinnedOptions {
  /** `--role`: set for the session, after the settings. */
  readonly role: string | null;
  /** False where the platform of the server has no way to notice that a client is gone. */
  readonly clientCheck: boolean;
}

/** The settings that every session is given at its start. */
export function pinnedSettings(options: PinnedOptions): readonly PinnedSetting[] {
  return [
    ...SETTINGS,
    ...(options.clientCheck ? [CLIENT_CHECK] : []),
    ...(options.role === null ? [] : ([['role', options.role]] as const)),
  ];
}

/**
 * One statement that sets them all and says what server this is. A setting that the server's version does not have is
 * passed over. Values are parameters, so a role needs no quoting; everything else is qualified, since the search path
 * that the role came with holds until this has run.
 */
export const PIN_SQL = `
SELECT pg_catalog.current_setting('server_version_num') AS version, pg_catalog.current_setting('server_version') AS shown,
  pg_catalog.pg_backend_pid() AS pid,
  pg_catalog.count(pg_catalog.set_config(setting.name, setting.value, false)) AS pinned
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS setting (name, value)
WHERE pg_catalog.current_setting(setting.name, true) IS NOT NULL`.trim();

/** The parameters of {@link PIN_SQL}. */
export const pinParameters = (settings: readonly PinnedSetting[]): readonly unknown[] => [
  settings.map(([name]) => name),
  settings.map(([, value]) => value),
];

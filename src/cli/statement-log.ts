import type { StatementObserver } from '../database/session.js';
import type { MemberNames } from '../report/member-names.js';
import { HIDDEN } from '../report/row-values.js';
import type { Log } from './log.js';

/** The longest statement that is logged whole; characters. Catalog queries are longer, and are ours. */
const LONGEST = 500;

/** String constants: `'it''s'`, `E'it\'s'`. */
const CONSTANTS = /\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'/giu;

/**
 * Logs every statement that is sent, as debug; nobody is told when the log does not show them.
 * @param hide hides the names that come from rows, and with them all constants; null: values are shown
 */
export function statementLog(log: Log, hide: MemberNames | null): StatementObserver | undefined {
  if (!log.shows('debug')) return undefined;
  return ({ sql, parameters }) => {
    const known = hide === null ? sql : hide.message(sql.replaceAll(CONSTANTS, `'${HIDDEN}'`));
    const line = known.replaceAll(/\s+/gu, ' ').trim();
    const shown = line.length > LONGEST ? `${line.slice(0, LONGEST)}${HIDDEN}` : line;
    log.debug(`sent: ${shown}`, { statement: { sql: shown, bytes: sql.length, parameters: parameters.length } });
  };
}

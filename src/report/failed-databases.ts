import type { FailedDatabase } from '../plan/fleet-plan.js';
import { paragraph, type TextOptions } from './layout.js';
import { visible } from './visible.js';
import { counted } from './words.js';

/** Databases that are left out, each with its error and what to do about it. */
export const failedDatabaseLines = (
  failed: readonly FailedDatabase[],
  words: string,
  { color, width }: TextOptions,
): readonly string[] =>
  failed.flatMap(({ database, code, message, remedy }) => [
    ...paragraph(`Database ${visible(database)} was ${words}: ${visible(message)} (${code})`, width, 0, 2).map((line) =>
      color.red(line),
    ),
    ...(remedy === null ? [] : paragraph(`do: ${visible(remedy)}`, width, 2, 2)),
  ]);

/** What a report's last line, which is often all that is read, says of them: `1 database not planned`. */
export const failedDatabaseCount = (failed: readonly FailedDatabase[], words: string): readonly string[] =>
  failed.length === 0 ? [] : [`${counted(failed.length, 'database')} ${words}`];

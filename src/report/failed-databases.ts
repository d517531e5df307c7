import type { FailedDatabase } from '../plan/fleet-plan.js';
import { paragraph, type TextOptions } from './layout.js';
import { visible } from './visible.js';

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

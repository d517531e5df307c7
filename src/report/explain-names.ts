import type { Partition } from '../explain/explanation.js';
import type { MemberNames } from './member-names.js';
import { HIDDEN } from './row-values.js';

/** A result's text with what rows hold left out, unless values are shown. */
export interface ExplainNames {
  index(name: string): string;
  message(text: string): string;
  /** Values of a partition, by name. */
  values(partition: Partition): Readonly<Record<string, string>>;
}

/** With or without values of rows. */
export function explainNames(hide: MemberNames | null): ExplainNames {
  if (hide === null) return { index: (name) => name, message: (text) => text, values: (partition) => partition.values };
  return {
    index: (name) => hide.name(name),
    message: (text) => hide.message(text),
    values: ({ values, fromRows }) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, fromRows.includes(name) ? HIDDEN : value]),
      ),
  };
}

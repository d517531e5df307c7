import { sha256 } from '../sha256.js';

/**
 * `sha256:…` over a value as canonical JSON: keys sorted, no blanks. Comments, positions and the order of keys in the
 * files do not count; everything that is approved does.
 */
export function digestOf(value: unknown): string {
  return `sha256:${sha256(canonical(value))}`;
}

/** JSON with its keys sorted and without blanks: equal values, equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .join(',')}}`;
}

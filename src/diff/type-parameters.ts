import type { NamePart } from '../desired-state/model.js';
import type { Facts } from './facts.js';

/**
 * The value that a tenant's column has for a parameter in its declared type: `vector(${embedding_dimension})` against
 * `public.vector(768)` gives `768`. Null when the type is another one altogether.
 */
export function typeParameterValue(
  template: readonly NamePart[],
  parameter: string,
  actual: string,
  facts: Facts,
): string | null {
  const open = template.filter((part) => typeof part !== 'string');
  if (open.length !== 1 || open[0]?.variable !== parameter) return null;
  for (const [candidate] of actual.matchAll(/\d+/gu)) {
    if (facts.sameType(fillType(template, candidate), actual)) return candidate;
  }
  return null;
}

/** The type with its one open parameter filled in. */
export const fillType = (template: readonly NamePart[], value: string): string =>
  template.map((part) => (typeof part === 'string' ? part : value)).join('');

/** The parameters that a type leaves open. */
export const typeVariables = (template: readonly NamePart[]): readonly string[] =>
  template.flatMap((part) => (typeof part === 'string' ? [] : [part.variable]));

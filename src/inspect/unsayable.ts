import { groupBy } from '../collections.js';
import type { Note } from './items.js';
import type { RelationRow, RoutineRow } from './relations-query.js';

/** Why the format cannot declare a relation, or null. Sequences are no relations of their own here. */
export function refusalOf(relation: RelationRow): string | null {
  const { extension, relkind, parents } = relation;
  if (relkind === 'S') return null;
  if (extension !== null) return `it belongs to extension ${extension}`;
  if (relkind === 'v') return 'the format has no plain views';
  if (relkind === 'f') return 'the format has no foreign tables';
  if (relkind === 'p') return 'the format has no partitioned tables';
  if (relation.is_partition) return `it is a partition of ${parents.join(', ')}, and the format has none`;
  if (parents.length > 0) return `it inherits from ${parents.join(', ')}, and the format has no inheritance`;
  return relation.typed ? 'it is a table OF a composite type, which the format has not' : null;
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'view',
  f: 'foreign table',
  p: 'partitioned table',
  m: 'materialized view',
};

/** Relations that no file speaks of, and what hangs on the others that the format does not know. */
export function relationNotes(relations: readonly RelationRow[]): readonly Note[] {
  return relations.flatMap((relation): readonly Note[] => {
    const { name, relkind } = relation;
    if (relkind === 'S') return [];
    const refused = refusalOf(relation);
    if (refused !== null) return [{ what: `${KINDS[relkind] ?? 'table'} ${name}`, why: refused, table: null }];
    const part = (what: string, why: string): Note => ({ what: `${what} of ${name}`, why, table: name });
    return [
      ...relation.triggers.map((trigger) => part(`trigger ${trigger}`, 'the format has no triggers')),
      ...relation.rules.map((rule) => part(`rule ${rule}`, 'the format has no rules')),
      ...relation.policies.map((policy) => part(`policy ${policy}`, 'the format has no row security')),
      ...(relation.row_security ? [part('row security', 'the format has no row security')] : []),
      ...(relation.children > 0
        ? [part('inheritance', 'other tables inherit from it; it is written as a plain table')]
        : []),
    ];
  });
}

/** Functions, text search configurations and types: used by name where tables need them, made by the application. */
export function otherNotes(routines: readonly RoutineRow[]): readonly Note[] {
  return [...groupBy(routines, (routine) => routine.kind)].map(([kind, of]) => {
    const shown = of.slice(0, 20).map((routine) => routine.name);
    const more = of.length > shown.length ? ` and ${of.length - shown.length} more` : '';
    return {
      what: `${kind}${of.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`,
      why: `trueup makes no ${kind}s: a new tenant needs them before its tables`,
      table: null,
    };
  });
}

import type { IndexFamily } from '../desired-state/model.js';
import { skeleton } from '../sql/skeleton.js';
import { renderSql, TENANT_SCHEMA } from '../sql/template.js';
import { type ExpectedMember, predicateTemplate } from './family-members.js';

/**
 * How the server writes the predicates of a family, as a format string of PostgreSQL's `format`, learned from one member
 * whose predicate is known to be right: parameter 2n+1 is the n-th of `variables` as a string constant, 2n+2 the same as
 * a bare number. Null where that cannot be told: constants that are equal could stand for one another. The other members'
 * follow from this one as in {@link PredicateMatcher}.
 */
export function memberFormat(
  family: Pick<IndexFamily, 'where'>,
  variables: readonly string[],
  member: ExpectedMember,
  actual: string,
): string | null {
  const template = predicateTemplate(family);
  if (template === null || member.where === null) return null;
  const [wanted, found] = [skeleton(member.where), skeleton(actual)];
  const marks = new Map(variables.map((variable, at) => [`\u0002${at}`, variable]));
  const marked = Object.fromEntries([...marks].map(([mark, variable]) => [variable, mark]));
  const open = skeleton(renderSql(template, { ...marked, schema: TENANT_SCHEMA }));
  // A value that is written otherwise than a plain one, with a backslash in it, says nothing of the plain ones.
  const same = open.literals.length === wanted.literals.length && wanted.literals.length === found.literals.length;
  if (!same || new Set(wanted.literals).size < wanted.literals.length) return null;
  for (const bare of [false, true]) {
    const pieces = pieceTexts(found, bare);
    if (pieces.map((piece) => piece.text).join('') !== actual) continue;
    return pieces
      .map((piece) => {
        if (piece.literal === null) return escaped(piece.text);
        const variable = marks.get(open.literals[wanted.literals.indexOf(piece.literal)] ?? '');
        if (variable === undefined) return wanted.literals.includes(piece.literal) ? escaped(piece.text) : null;
        return `%${2 * variables.indexOf(variable) + (piece.bare ? 2 : 1)}$s`;
      })
      .reduce<string | null>((said, piece) => (said === null || piece === null ? null : said + piece), '');
  }
  return null;
}

interface Piece {
  readonly text: string;
  /** The constant that it is; null for what stands between constants. */
  readonly literal: string | null;
  readonly bare: boolean;
}

/** A skeleton with its constants put back: as strings, or, for numbers of digits alone, bare. */
function pieceTexts({ text, literals }: ReturnType<typeof skeleton>, numbersBare: boolean): readonly Piece[] {
  return text.split(/(\$\d+)/u).map((piece, at) => {
    const literal = at % 2 === 0 ? undefined : literals[Number(piece.slice(1)) - 1];
    if (literal === undefined) return { text: piece, literal: null, bare: false };
    const bare = numbersBare && /^\d+$/u.test(literal);
    return { text: bare ? literal : `'${literal.replaceAll("'", "''")}'`, literal, bare };
  });
}

const escaped = (text: string): string => text.replaceAll('%', '%%');

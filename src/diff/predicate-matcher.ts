import { oncePer, oncePerObject } from '../collections.js';
import type { TableShape } from '../shape/table-shape.js';
import { skeleton } from '../sql/skeleton.js';
import type { ExpressionQuestion, Facts } from './facts.js';
import { expressionQuestion } from './index-difference.js';

/**
 * Compares members' predicates without parsing each. All members of a family share one text but for their constants: once
 * the server or the trees have said of one pair of texts that they mean the same, another pair of the same two skeletons
 * does when its constants correspond in the same places.
 */
export class PredicateMatcher {
  /** By the columns that the server judged by: of another type, the same words may mean something else. */
  readonly #learnt = oncePer(
    (_columns: string): Learnt => ({ known: new Map(), trialOf: oncePer(() => ({ asked: new Map(), limit: 1 })) }),
  );
  readonly #learntOf = oncePerObject((table: TableShape) =>
    this.#learnt(JSON.stringify(expressionQuestion(table, '', '', null).columns)),
  );

  /** Whether the two mean the same; true for the time being while the question is open in `facts`. */
  same(desired: string, actual: string, table: TableShape, facts: Facts): boolean {
    if (desired === actual) return true;
    const [wanted, found] = [skeleton(desired), skeleton(actual)];
    const pair = JSON.stringify([wanted.text, found.text]);
    const { known, trialOf } = this.#learntOf(table);
    const correspondences = known.get(pair) ?? [];
    const corresponds = (places: readonly number[]) =>
      wanted.literals.every((literal, index) => found.literals[places[index] ?? -1] === literal);
    if (correspondences.some(corresponds)) return true;
    // Where the skeletons are known to correspond and the constants do not, it is another member's predicate.
    if (correspondences.length > 0 && distinct(found.literals) && distinct(wanted.literals)) return false;
    const question = expressionQuestion(table, desired, actual, null);
    if (correspondences.length === 0 && waits(trialOf(pair), question, facts)) return true;
    const verdict = facts.judged(question);
    if (verdict !== true) return verdict ?? true;
    if (distinct(wanted.literals) && wanted.literals.length === found.literals.length) {
      const places = wanted.literals.map((literal) => found.literals.indexOf(literal));
      if (!places.includes(-1)) known.set(pair, [...correspondences, places]);
    }
    return true;
  }
}

/** What is known of tables with columns of the same names and types. */
interface Learnt {
  /** Skeleton pair → correspondences that are known to hold: position in the actual text for each declared constant. */
  readonly known: Map<string, (readonly number[])[]>;
  /** Skeleton pair → what was asked of it so far. */
  readonly trialOf: (pair: string) => Trial;
}

interface Trial {
  readonly asked: Map<string, ExpressionQuestion>;
  limit: number;
}

/**
 * Whether the answer to a question of the same skeletons is to come first: it mostly answers for all members, and to
 * ask for each would parse every predicate of the fleet. Twice as many are asked after each that teaches nothing.
 */
function waits(trial: Trial, question: ExpressionQuestion, facts: Facts): boolean {
  const key = JSON.stringify([question.desired, question.actual]);
  if (trial.asked.has(key)) return false;
  if (trial.asked.size >= trial.limit) {
    // Asked again on behalf of this tenant, so that it is diffed again when they are answered.
    const open = [...trial.asked.values()].filter((asked) => facts.judged(asked) === undefined);
    if (open.length > 0) return true;
    trial.limit *= 2;
  }
  trial.asked.set(key, question);
  return false;
}

const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

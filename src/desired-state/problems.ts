import { type ErrorCode, TrueupError } from '../trueup-error.js';
import type { SourcePosition } from './model.js';

interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where: SourcePosition | string | null;
  readonly remedy: string | null;
}

/** Everything found wrong in one load: collected, sorted by place, thrown as one error that holds them all. */
export class Problems {
  readonly #found: Problem[] = [];

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** Notes a problem and goes on. `where` is a place in a file, or words for what is in no file. */
  add(code: ErrorCode, message: string, where: SourcePosition | string | null, remedy?: string): void {
    this.#found.push({ code, message, where, remedy: remedy ?? null });
  }

  /** Notes that a file is not as it should be. */
  invalid(message: string, where: SourcePosition | string | null, remedy?: string): void {
    this.add('DESIRED_STATE_INVALID', message, where, remedy);
  }

  /** Takes over the problems of another load whose code is wanted. */
  takeFrom(others: Problems, wanted: (code: ErrorCode) => boolean): void {
    this.#found.push(...others.#found.filter((problem) => wanted(problem.code)));
  }

  /** Throws the first problem with the others attached, when there is one. */
  throwIfAny(): void {
    const [first, ...others] = this.errors();
    if (first === undefined) return;
    throw new TrueupError(first.code, first.message, { ...first.options, others });
  }

  /** All problems as errors, by file, line and column; those in no file first; the same one once. */
  errors(): readonly TrueupError[] {
    const seen = new Set<string>();
    return [...this.#found].sort(byPlace).flatMap((problem) => {
      const where = problem.where === null ? null : showPlace(problem.where);
      const key = `${where}\n${problem.message}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [
        new TrueupError(problem.code, problem.message, {
          ...(where === null ? {} : { where }),
          ...(problem.remedy === null ? {} : { remedy: problem.remedy }),
        }),
      ];
    });
  }
}

/** `desired-state/base.yaml:12:5`. */
export function showPlace(where: SourcePosition | string): string {
  return typeof where === 'string' ? where : `${where.file}:${where.line}:${where.column}`;
}

function byPlace(a: Problem, b: Problem): number {
  if (a.where === null || b.where === null) return Number(a.where !== null) - Number(b.where !== null);
  if (typeof a.where === 'string' || typeof b.where === 'string') {
    return Number(typeof a.where !== 'string') - Number(typeof b.where !== 'string');
  }
  if (a.where.file !== b.where.file) return a.where.file < b.where.file ? -1 : 1;
  return a.where.line - b.where.line || a.where.column - b.where.column;
}

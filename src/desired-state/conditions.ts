import { shown, suggestion } from '../did-you-mean.js';
import type { Condition, Conditional } from './documents.js';
import type { SourcePosition } from './model.js';
import type { Parameters } from './parameters.js';
import type { Problems } from './problems.js';
import { keyAt, type Place, valueAt, within } from './yaml-file.js';

/** Whether an entry counts, by its `when` and `unless`. */
export function isActive(entry: Conditional, place: Place, parameters: Parameters, problems: Problems): boolean {
  const { when, unless } = entry;
  const wanted = when === undefined || holds(when, within(place, 'when'), parameters, problems);
  const unwanted = unless !== undefined && holds(unless, within(place, 'unless'), parameters, problems);
  return wanted && !unwanted;
}

function holds(condition: Condition, place: Place, parameters: Parameters, problems: Problems): boolean {
  const current = (name: string, at: SourcePosition): string | null => {
    const parameter = parameters.get(name);
    if (parameter === undefined) {
      problems.invalid(`there is no parameter ${shown(name)}`, at, suggestion(name, parameters.keys()));
      return null;
    }
    return parameter.value === null ? null : String(parameter.value);
  };
  if (typeof condition === 'string') {
    const value = current(condition, valueAt(place));
    return value !== null && value !== '' && value !== 'false';
  }
  return Object.entries(condition).every(
    ([name, wanted]) => current(name, keyAt(within(place, name))) === String(wanted),
  );
}

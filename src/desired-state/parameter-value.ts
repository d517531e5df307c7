import { shown } from '../did-you-mean.js';
import type { ParameterDocument } from './documents.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** A parameter's value; null: it has none. */
export type ParameterValue = string | number | boolean | null;

/** A value that is allowed, or what is wrong with it and what is allowed. */
export type CheckedValue =
  | { readonly ok: true; readonly value: ParameterValue }
  | { readonly ok: false; readonly problem: string; readonly allowed: string };

/** A longer value is no setting, and a pattern could take very long over it. */
const MAX_LENGTH = 1_000;

/** Turns what a flag, a variable, an override or a default gives into a value of the declared type. */
export function parameterValue(declared: ParameterDocument, raw: string | number | boolean): CheckedValue {
  const text = String(raw);
  if (text.length > MAX_LENGTH) return refused(`is longer than ${MAX_LENGTH} characters`, 'a shorter value');
  if (text.includes('\0')) return refused('holds a NUL character', 'text');
  switch (declared.type) {
    case 'integer':
      return integer(declared, text);
    case 'boolean':
      return boolean(text);
    case 'identifier':
      return identifier(declared, normalized(declared, text));
    case 'string':
      return listed(declared, normalized(declared, text));
    case 'fragment': {
      const value = normalized(declared, text);
      return value === '' ? { ok: true, value: null } : listed(declared, value);
    }
  }
}

/** Notes what no value of this parameter could ever satisfy. */
export function checkDeclaration(name: string, declared: ParameterDocument, place: Place, problems: Problems): void {
  const invalid = (message: string, key: string, remedy: string): void =>
    problems.invalid(`parameter ${shown(name)}: ${message}`, valueAt(within(place, key)), remedy);
  if (declared.type === 'fragment' && declared.values === undefined && declared.pattern === undefined) {
    invalid('a fragment stands in SQL as it is, so it must say what it may hold', 'type', 'add values or pattern');
  }
  if (declared.pattern !== undefined && pattern(declared.pattern) === null) {
    invalid('pattern is not a regular expression', 'pattern', 'correct it');
  }
  for (const [alias, value] of Object.entries(declared.aliases ?? {})) {
    const { aliases: _, ...rest } = declared;
    const checked = parameterValue(rest, value);
    if (!checked.ok) {
      const at = valueAt(within(place, 'aliases', alias));
      const message = `parameter ${shown(name)}: the alias ${shown(alias)} stands for ${shown(value)}, which ${checked.problem}`;
      problems.invalid(message, at, `allowed: ${checked.allowed}`);
    }
  }
  if (declared.type !== 'integer') {
    for (const key of ['minimum', 'maximum'] as const) {
      if (declared[key] !== undefined) invalid(`${key} is for integers only`, key, 'remove it');
    }
  }
  if (declared.minimum !== undefined && declared.maximum !== undefined && declared.minimum > declared.maximum) {
    invalid('minimum is greater than maximum', 'minimum', 'correct one of them');
  }
  if (declared.type === 'integer' || declared.type === 'boolean') {
    for (const key of ['pattern', 'aliases', 'normalize', 'numbers'] as const) {
      if (declared[key] !== undefined) invalid(`${key} is for text only`, key, 'remove it');
    }
  }
}

function integer(declared: ParameterDocument, text: string): CheckedValue {
  const { minimum, maximum } = declared;
  const allowed =
    declared.values?.join(', ') ??
    (minimum !== undefined && maximum !== undefined
      ? `a whole number from ${minimum} to ${maximum}`
      : minimum !== undefined
        ? `a whole number of at least ${minimum}`
        : maximum !== undefined
          ? `a whole number of at most ${maximum}`
          : 'a whole number');
  const value = /^[+-]?\d{1,16}$/u.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) return refused('is not a whole number', allowed);
  if (minimum !== undefined && value < minimum) return refused('is too small', allowed);
  if (maximum !== undefined && value > maximum) return refused('is too large', allowed);
  if (declared.values !== undefined && !declared.values.some((one) => Number(one) === value)) {
    return refused('is not allowed', allowed);
  }
  // Written into SQL bare: "-0" would not survive being written back.
  return { ok: true, value: value === 0 ? 0 : value };
}

function boolean(text: string): CheckedValue {
  const word = text.trim().toLowerCase();
  if (['true', 'on', 'yes', '1'].includes(word)) return { ok: true, value: true };
  if (['false', 'off', 'no', '0'].includes(word)) return { ok: true, value: false };
  return refused('is neither true nor false', 'true, false');
}

function identifier(declared: ParameterDocument, value: string): CheckedValue {
  if (value === '') return refused('is empty', 'a name');
  if (Buffer.byteLength(value) > 63)
    return refused('is longer than the 63 bytes that a name may have', 'a shorter name');
  return listed(declared, value);
}

function normalized(declared: ParameterDocument, text: string): string {
  const normalize = (value: string): string => {
    const lower = declared.normalize?.includes('lowercase') ? value.toLowerCase() : value;
    return declared.normalize?.includes('no-spaces') ? lower.replaceAll(/\s+/gu, '') : lower;
  };
  const value = normalize(text);
  const alias = Object.entries(declared.aliases ?? {}).find(([other]) => normalize(other) === value);
  return alias === undefined ? value : alias[1];
}

function listed(declared: ParameterDocument, value: string): CheckedValue {
  const values = declared.values?.map(String) ?? [];
  const matcher = declared.pattern === undefined ? null : pattern(declared.pattern);
  const open = declared.values === undefined && declared.pattern === undefined;
  const allowed = [...values, ...(declared.pattern === undefined ? [] : [`what matches ${declared.pattern}`])].join(
    ', ',
  );
  if (!open && !values.includes(value) && matcher?.test(value) !== true) return refused('is not allowed', allowed);
  if (declared.numbers === 'ascending') {
    const numbers = [...value.matchAll(/\d+/gu)].map(([digits]) => Number(digits));
    if (numbers.some((number, index) => index > 0 && number < (numbers[index - 1] ?? 0))) {
      return refused('has numbers that do not ascend', `${allowed}, its numbers ascending`);
    }
  }
  return { ok: true, value };
}

function pattern(source: string): RegExp | null {
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch {
    return null;
  }
}

const refused = (problem: string, allowed: string): CheckedValue => ({ ok: false, problem, allowed });

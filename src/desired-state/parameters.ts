import { shown, suggestion } from '../did-you-mean.js';
import type { FleetDocument, ParameterDocument } from './documents.js';
import { type LoadOptions, own } from './load-options.js';
import type { ResolvedParameter, ValueSource } from './model.js';
import { checkDeclaration, parameterValue } from './parameter-value.js';
import type { Problems } from './problems.js';
import { type Place, valueAt, within } from './yaml-file.js';

/** A parameter with the type that says how it is written into SQL. */
export interface Parameter extends ResolvedParameter {
  readonly type: ParameterDocument['type'];
  /** False when the value given was refused: what depends on it is not reported a second time. */
  readonly usable: boolean;
}

/** Parameters by name. */
export type Parameters = ReadonlyMap<string, Parameter>;

/** Names that placeholders have without being declared. */
export const BUILT_IN = 'schema';

/** Gives every declared parameter its value: flag, else override, else environment, else default. */
export function resolveParameters(
  document: FleetDocument,
  place: Place,
  options: LoadOptions,
  problems: Problems,
): Parameters {
  const declared = Object.entries(document.parameters ?? {});
  const names = declared.map(([name]) => name);
  for (const [name, value] of Object.entries(options.parameters)) {
    if (!names.includes(name)) {
      problems.add(
        'INVALID_PARAMETER',
        `there is no parameter ${shown(name)}`,
        `--set ${name}=${value.slice(0, 40)}`,
        suggestion(name, names),
      );
    }
  }
  for (const name of Object.keys(options.parameterOverrides ?? {})) {
    if (!names.includes(name)) {
      problems.add(
        'INVALID_PARAMETER',
        `there is no parameter ${shown(name)}`,
        valueAt(within(place, 'overrides')),
        suggestion(name, names),
      );
    }
  }
  const resolved = new Map<string, Parameter>();
  for (const [name, declaration] of declared) {
    const at = within(place, 'parameters', name);
    if (name === BUILT_IN) {
      problems.invalid(
        `${shown(name)} is built in and cannot be declared`,
        place.file.position(at.path, 'key'),
        'take another name',
      );
    }
    checkDeclaration(name, declaration, at, problems);
    checkDefault(name, declaration, at, problems);
    resolved.set(name, resolve(name, declaration, options, problems));
  }
  return resolved;
}

/** A value from an `overrides` entry, in the parameter's type; null when it is refused, which is noted. */
export function overrideValue(
  name: string,
  document: FleetDocument,
  raw: string | number | boolean,
  place: Place,
  problems: Problems,
): string | number | boolean | null {
  const declaration = own(document.parameters, name);
  if (declaration === undefined) {
    const names = Object.keys(document.parameters ?? {});
    problems.invalid(
      `there is no parameter ${shown(name)}`,
      place.file.position(place.path, 'key'),
      suggestion(name, names),
    );
    return null;
  }
  const checked = parameterValue(declaration, raw);
  if (checked.ok) return checked.value;
  problems.add(
    'INVALID_PARAMETER',
    `${name}: ${shown(String(raw))} ${checked.problem}`,
    valueAt(place),
    `allowed: ${checked.allowed}`,
  );
  return null;
}

function checkDefault(name: string, declaration: ParameterDocument, place: Place, problems: Problems): void {
  if (declaration.default === undefined || declaration.default === null) {
    if (declaration.default_for !== undefined) {
      problems.invalid(
        `parameter ${shown(name)}: default_for without a default`,
        valueAt(within(place, 'default_for')),
        'add default',
      );
    }
    return;
  }
  const checked = parameterValue(declaration, declaration.default);
  if (checked.ok) return;
  problems.invalid(
    `parameter ${shown(name)}: its default ${shown(String(declaration.default))} ${checked.problem}`,
    valueAt(within(place, 'default')),
    `allowed: ${checked.allowed}`,
  );
}

function resolve(name: string, declaration: ParameterDocument, options: LoadOptions, problems: Problems): Parameter {
  const given = valueGiven(name, declaration, options);
  const forNewOnly = given.source === 'default' && declaration.default_for === 'new';
  const base = { type: declaration.type, source: given.source, forNewOnly };
  if (given.raw === null) return { ...base, value: null, usable: true };
  const checked = parameterValue(declaration, given.raw);
  if (checked.ok) return { ...base, value: checked.value, usable: true };
  if (given.source !== 'default') {
    problems.add(
      'INVALID_PARAMETER',
      `${name}: ${shown(String(given.raw))} ${checked.problem}`,
      given.where,
      `allowed: ${checked.allowed}`,
    );
  }
  return { ...base, value: null, usable: false };
}

interface Given {
  readonly raw: string | number | boolean | null;
  readonly source: ValueSource;
  readonly where: string;
}

function valueGiven(name: string, declaration: ParameterDocument, options: LoadOptions): Given {
  const flag = own(options.parameters, name);
  if (flag !== undefined) return { raw: flag, source: 'flag', where: `--set ${name}` };
  const override = own(options.parameterOverrides, name);
  if (override !== undefined) return { raw: override, source: 'override', where: `overrides, parameter ${name}` };
  if (options.recorded !== undefined) {
    const recorded = own(options.recorded.parameters, name);
    if (recorded !== undefined) return { raw: recorded, source: 'environment', where: `saved plan, parameter ${name}` };
    return { raw: declaration.default ?? null, source: 'default', where: 'default' };
  }
  const variable = declaration.env === undefined ? undefined : own(options.environment, declaration.env);
  if (variable !== undefined && variable !== '') {
    return { raw: variable, source: 'environment', where: `environment variable ${declaration.env}` };
  }
  return { raw: declaration.default ?? null, source: 'default', where: 'default' };
}

import type { ErrorObject, ValidateFunction } from 'ajv';
import { closest, shown } from '../did-you-mean.js';
import { validateFleet, validateTables } from './document-validators.js';
import type { FleetDocument, TablesDocument } from './documents.js';
import type { Problems } from './problems.js';
import type { Path, YamlFile } from './yaml-file.js';

/** The content of fleet.yaml, or null with what is wrong noted. */
export const asFleet = (file: YamlFile, problems: Problems): FleetDocument | null =>
  accepted(validateFleet, file, problems);

/** The content of a phase's or backend's file, or null with what is wrong noted. */
export const asTables = (file: YamlFile, problems: Problems): TablesDocument | null =>
  accepted(validateTables, file, problems);

function accepted<T>(validate: ValidateFunction<T>, file: YamlFile, problems: Problems): T | null {
  const value = file.value;
  if (value === null || value === undefined) {
    problems.invalid('the file is empty', { file: file.name, line: 1, column: 1 }, 'see the published schema');
    return null;
  }
  if (validate(value)) return value;
  for (const error of validate.errors ?? []) note(error, file, problems);
  return null;
}

function note(error: ErrorObject, file: YamlFile, problems: Problems): void {
  // The rejection of a key's text comes again as `propertyNames`, which says where.
  if (error.propertyName !== undefined && error.keyword !== 'propertyNames') return;
  const path = pathOf(error.instancePath, file.value);
  const here = path.length === 0 ? 'the file' : showPath(path);
  const params = error.params as Readonly<Record<string, unknown>>;
  const at = file.position(path);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
      const near = closest(key, known);
      problems.invalid(
        `unknown key ${shown(key)} in ${here}`,
        file.position([...path, key], 'key'),
        near === null ? `known keys: ${known.join(', ')}` : `did you mean ${shown(near)}?`,
      );
      return;
    }
    case 'required':
      problems.invalid(`${shown(String(params.missingProperty))} is missing from ${here}`, at, 'add it');
      return;
    case 'type':
      problems.invalid(
        `${here} must be ${kinds(params.type)}, but is ${kindOf(error.data)}`,
        at,
        error.data === null ? 'give it a value, or leave it out' : 'correct its form',
      );
      return;
    case 'enum': {
      const allowed = (params.allowedValues as readonly unknown[]).map(String);
      const near = closest(String(error.data), allowed);
      problems.invalid(
        `${here} cannot be ${shown(String(error.data))}; it is one of: ${allowed.join(', ')}`,
        at,
        near === null ? 'take one of these' : `did you mean ${shown(near)}?`,
      );
      return;
    }
    case 'const':
      problems.invalid(`${here} must be ${JSON.stringify(params.allowedValue)}`, at, 'correct it');
      return;
    case 'pattern':
      problems.invalid(`${here} cannot be ${shown(String(error.data))}`, at, `it must match ${String(params.pattern)}`);
      return;
    case 'propertyNames': {
      const key = String(params.propertyName);
      problems.invalid(
        `${shown(key)} cannot be a name in ${here}`,
        file.position([...path, key], 'key'),
        'use lower-case letters, digits and underscores, a letter first',
      );
      return;
    }
    default:
      problems.invalid(`${here} ${bound(error)}`, at, 'correct it, or leave it out');
  }
}

/** What a bound of the schema asks for, in words. */
function bound({ keyword, params, message, data }: ErrorObject): string {
  const { limit } = params as { readonly limit?: number };
  switch (keyword) {
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return limit === 1 ? 'is empty' : `has fewer than ${limit}`;
    case 'minimum':
      return `is ${String(data)}, less than ${limit}`;
    case 'maximum':
      return `is ${String(data)}, more than ${limit}`;
    default:
      return message ?? 'is not valid';
  }
}

function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const raw of pointer.split('/').slice(1)) {
    const segment = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(value) ? Number(segment) : segment;
    path.push(step);
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return path;
}

const showPath = (path: Path): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a mapping',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
};

const kinds = (types: unknown): string =>
  (Array.isArray(types) ? types.map(String) : String(types).split(',')).map((type) => WORDS[type] ?? type).join(' or ');

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : (WORDS[typeof value] ?? typeof value);
}

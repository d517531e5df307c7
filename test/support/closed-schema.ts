import { Ajv } from 'ajv';

/** The schema with every object closed: what a document holds beyond it is missing from the schema. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)] as const);
  return { ...Object.fromEntries(entries), ...('properties' in schema ? { additionalProperties: false } : {}) };
}

/** What of a document the closed schema does not describe. */
export function problems(schema: object, document: unknown): unknown {
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
  const validate = ajv.compile(closed(schema) as object);
  return validate(JSON.parse(JSON.stringify(document))) ? [] : validate.errors;
}

import { Ajv } from 'ajv';
import type { PlanFile } from './plan-file.js';
import schema from './schema/plan-file.schema.json' with { type: 'json' };

/** As in desired-state/document-validators.ts: replaced in dist by the code that Ajv generates. */
export const ajv = new Ajv({
  strict: true,
  strictTypes: true,
  allowUnionTypes: true,
  code: { source: true, esm: true },
});

/** Checks a plan file's form. */
export const validatePlanFile = ajv.compile<PlanFile>(schema);

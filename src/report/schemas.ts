import planFile from '../plan/schema/plan-file.schema.json' with { type: 'json' };
import apply from './schema/apply.schema.json' with { type: 'json' };
import doctor from './schema/doctor.schema.json' with { type: 'json' };
import error from './schema/error.schema.json' with { type: 'json' };
import event from './schema/event.schema.json' with { type: 'json' };
import explain from './schema/explain.schema.json' with { type: 'json' };
import plan from './schema/plan.schema.json' with { type: 'json' };

/** A JSON Schema, draft 7, for any validator. */
export type JsonSchema = Readonly<Record<string, unknown>>;

// With a type of their own: the compiler would write imports of JSON into the declarations, which other compilers refuse.

/** Of what `plan --json` prints. */
export const planSchema: JsonSchema = plan;
/** Of what `apply --json` prints. */
export const applySchema: JsonSchema = apply;
/** Of a line of `apply --events`. */
export const eventSchema: JsonSchema = event;
/** Of what `explain --json` prints. */
export const explainSchema: JsonSchema = explain;
/** Of what `doctor --json` prints. */
export const doctorSchema: JsonSchema = doctor;
/** Of what a failing run prints with `--json`. */
export const errorSchema: JsonSchema = error;
/** Of the file that `plan --out` writes. */
export const planFileSchema: JsonSchema = planFile;

import applySchema from './schema/apply.schema.json' with { type: 'json' };
import errorSchema from './schema/error.schema.json' with { type: 'json' };
import planSchema from './schema/plan.schema.json' with { type: 'json' };

/** JSON Schemas (draft 7) of the documents that `plan --json`, `apply --json` and any failing `--json` run print. */
export { applySchema, errorSchema, planSchema };

import planFileSchema from '../plan/schema/plan-file.schema.json' with { type: 'json' };
import applySchema from './schema/apply.schema.json' with { type: 'json' };
import errorSchema from './schema/error.schema.json' with { type: 'json' };
import eventSchema from './schema/event.schema.json' with { type: 'json' };
import planSchema from './schema/plan.schema.json' with { type: 'json' };

/**
 * JSON Schemas (draft 7) of what `plan --json`, `apply --json`, a line of `apply --events` and any failing `--json` run
 * print, and of the file that `plan --out` writes.
 */
export { applySchema, errorSchema, eventSchema, planFileSchema, planSchema };

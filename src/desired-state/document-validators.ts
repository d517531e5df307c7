import { Ajv } from 'ajv';
import type { FleetDocument, TablesDocument } from './documents.js';
import fleetSchema from './schema/fleet.schema.json' with { type: 'json' };
import tablesSchema from './schema/tables.schema.json' with { type: 'json' };

/**
 * Compiles the published schemas. Only the sources do that at run time: the build (build/validators.js) replaces this
 * module in dist by the code that Ajv generates, which starts in a hundredth of the time.
 */
export const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictTypes: true,
  allowUnionTypes: true,
  verbose: true,
  code: { source: true, esm: true },
});

/** Checks the content of fleet.yaml. */
export const validateFleet = ajv.compile<FleetDocument>(fleetSchema);

/** Checks the content of a phase's or backend's file. */
export const validateTables = ajv.compile<TablesDocument>(tablesSchema);

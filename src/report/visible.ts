import { speltOut } from '../spelt-out.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';

/**
 * Text for one line of a terminal or of a script's comment: control characters spelt out (`\x0a`), newlines too, so that
 * a name out of a database can neither steer the terminal nor end the line that it stands in.
 */
export const visible = (text: string): string => speltOut(schemaNamed(text));

/** The tenant's own schema as reports write it, where text is relative to a tenant. */
export const schemaNamed = (text: string): string => text.replaceAll(TENANT_SCHEMA_SQL, ':"schema"');

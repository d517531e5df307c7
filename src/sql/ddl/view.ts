import { type SqlTemplate, sql } from '../template.js';
import { tableName } from './table.js';

/** `DROP MATERIALIZED VIEW`; never CASCADE. Its content is computed, so that nothing is lost. */
export const dropMaterializedView = (view: string): SqlTemplate => sql`DROP MATERIALIZED VIEW ${tableName(view)}`;

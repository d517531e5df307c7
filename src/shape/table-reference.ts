import { quoteIdentifier } from '../sql/quote.js';
import type { TableReference } from './table-shape.js';

/** Bare for the tenant's own table, else qualified. */
export const referenceName = ({ schema, table }: TableReference): string =>
  schema === null ? table : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

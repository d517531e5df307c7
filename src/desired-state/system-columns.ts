/** What every table has from PostgreSQL itself, of 14 and newer (its manual, "System Columns"). */
export const SYSTEM_COLUMNS: readonly string[] = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

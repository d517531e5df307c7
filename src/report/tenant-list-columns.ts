/** The columns of a list of tenants. */
export const TENANT_LIST_COLUMNS = ['database', 'schema', 'state', 'class', 'changes'] as const;

/** How every list of tenants begins: by this an older one is told from any other file. */
export const TENANT_LIST_SIGNATURE = `${TENANT_LIST_COLUMNS.join(',')}\n`;

import type { Client } from 'pg';

/** A node of what EXPLAIN (ANALYZE, FORMAT JSON) gives. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'CTE Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Hash Buckets'?: number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A plan and all that is below it. */
export const nodesOf = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Runs a statement, and gives its plan with the rows that were counted. */
export async function analyzed(client: Client, sql: string, parameters: readonly unknown[] = []): Promise<PlanNode> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`,
    [...parameters],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error(`no plan of: ${sql}`);
  return plan;
}

/** Scans of these tables that went through more rows than `most`, in words. */
export const scansBeyond = (plan: PlanNode, tables: readonly string[], most: number): readonly string[] =>
  nodesOf(plan).flatMap((node) => {
    const table = node['Relation Name'] ?? '';
    const rows = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    return tables.includes(table) && rows > most ? [`${node['Node Type']} on ${table}: ${rows} rows`] : [];
  });

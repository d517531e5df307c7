/** A node of what EXPLAIN (VERBOSE, FORMAT JSON) gives. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  /** Some custom scans name their index so. */
  readonly Index?: string;
  readonly 'Order By'?: unknown;
  readonly 'Total Cost'?: number;
  readonly 'Plan Rows'?: number;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The document that EXPLAIN gives as its one row. */
export type ExplainDocument = readonly [{ readonly Plan: PlanNode; readonly 'Execution Time'?: number }];

/** A plan without anything that rows hold. */
export interface ProbePlan {
  /** Kinds of nodes, the outermost first, each with the depth that it stands at. */
  readonly nodes: readonly { readonly kind: string; readonly depth: number; readonly index: string | null }[];
  /** The planner's own unit. */
  readonly cost: number;
  /** Rows that the planner expects. */
  readonly rows: number;
  /** With `analyze`: what came of it; milliseconds. */
  readonly executed: { readonly rows: number; readonly milliseconds: number } | null;
}

/** One place where a plan reads the table. */
export interface Access {
  /** Names of the indexes by which; several for a bitmap. Empty: it reads the table from end to end. */
  readonly indexes: readonly string[];
  /** Whether an index gives the order, as a search for nearest neighbours does. */
  readonly ordered: boolean;
}

/** Every place where the plan reads `schema.table`, outermost first. */
export function accessesOf(plan: PlanNode, schema: string, table: string): readonly Access[] {
  const own = plan.Schema === schema && plan['Relation Name'] === table;
  const below = own && plan['Node Type'] === 'Bitmap Heap Scan' ? [] : (plan.Plans ?? []);
  const inner = below.flatMap((child) => accessesOf(child, schema, table));
  if (!own || plan['Node Type'] === 'ModifyTable') return inner;
  // A bitmap's nodes name an index and no table: that is the heap scan's above them.
  const indexes = plan['Node Type'] === 'Bitmap Heap Scan' ? indexesBelow(plan) : indexesAt(plan);
  return [{ indexes, ordered: plan['Order By'] !== undefined }, ...inner];
}

const indexesAt = (node: PlanNode): readonly string[] => {
  const name = node['Index Name'] ?? node.Index;
  return name === undefined ? [] : [name];
};

const indexesBelow = (node: PlanNode): readonly string[] => [
  ...indexesAt(node),
  ...(node.Plans ?? []).flatMap(indexesBelow),
];

/** What of a plan may be shown: no condition and no value of it. */
export function summaryOf([document]: ExplainDocument): ProbePlan {
  const { Plan: plan } = document;
  const time = document['Execution Time'];
  return {
    nodes: nodesOf(plan, 0),
    cost: plan['Total Cost'] ?? 0,
    rows: plan['Plan Rows'] ?? 0,
    executed:
      time === undefined
        ? null
        : { rows: (plan['Actual Rows'] ?? 0) * (plan['Actual Loops'] ?? 1), milliseconds: time },
  };
}

const nodesOf = (node: PlanNode, depth: number): ProbePlan['nodes'] => [
  { kind: node['Node Type'], depth, index: indexesAt(node)[0] ?? null },
  ...(node.Plans ?? []).flatMap((child) => nodesOf(child, depth + 1)),
];

import { isByTenant } from '../catalog/judge.js';
import type { OwnedRead, ReadKind } from '../catalog/owned-reads.js';
import type { RowsAhead } from '../catalog/rows-ahead.js';
import type { OpenBeside } from '../catalog/shared-snapshot.js';
import { oncePerObject } from '../collections.js';
import type { Session } from '../database/session.js';
import type { DesiredState, DesiredTable } from '../desired-state/model.js';
import type { DiffContext } from '../diff/context.js';
import { FactSheet, isFleetWide, type Question } from '../diff/facts.js';
import type { Progress } from '../progress.js';
import type { Answers } from './answers.js';
import type { HeldMethod } from './held-methods.js';
import { sharedSchemas } from './schemas-of-files.js';
import type { TenantRead } from './tenant-read.js';

/** Everything that does not change from tenant to tenant. */
export interface FleetContext {
  readonly session: Session;
  /** Opens a second session, for a fleet large enough to be read by two. */
  readonly beside: OpenBeside;
  /** What was looked at beside the reading of the catalogs. */
  readonly ahead: RowsAhead;
  readonly desired: DesiredState;
  /** The declared tables, names resolved in this database. */
  readonly tables: readonly DesiredTable[];
  readonly allow: DiffContext['allow'];
  readonly isDefaultOpclass: DiffContext['isDefaultOpclass'];
  readonly answers: Answers;
  /** Whether the tenants were made a moment ago, by these tables: see {@link PlanRequest.made}. */
  readonly made: boolean;
  /** The kinds that the tenants' members are of. */
  readonly kinds: ReadonlyMap<string, ReadKind>;
  /** That of the members' digests. */
  readonly memberSeed: string;
  /** Everything that is read apart of some tenants, one by one. */
  readonly readOwned: (schemas: readonly string[]) => Promise<ReadonlyMap<string, readonly OwnedRead[]>>;
  /** Extensions that cannot be created in this database: what their phases ask for is blocked. */
  readonly held: readonly HeldMethod[];
  readonly progress: Progress;
}

/** What is known of a tenant so far, and what its diff asks for beside. A new one's tables are the session's own. */
export const factsOf = ({ schema, isNew }: TenantRead, fleet: FleetContext): FactSheet =>
  new FactSheet((key, question) =>
    isNew && question.kind === 'owner' ? null : fleet.answers.of(schema, key, question),
  );

/** What the diff of one tenant goes by. */
export function contextOf(tenant: TenantRead, facts: FactSheet, fleet: FleetContext): DiffContext {
  return {
    facts,
    phases: fleet.desired.phases,
    tables: fleet.tables,
    parameters: fleet.desired.parameters,
    release: tenant.isNew ? null : fleet.desired.release,
    allow: fleet.allow,
    isDefaultOpclass: fleet.isDefaultOpclass,
    home: homeOf(tenant, fleet),
    actualTables: shapesOf(tenant.tables),
  };
}

/** The tenant's schema where declared foreign keys name it: see {@link DiffContext.home}. */
export const homeOf = (
  { schema }: Pick<TenantRead, 'schema'>,
  { tables }: Pick<FleetContext, 'tables'>,
): string | null => (sharedBy(tables).has(schema) ? schema : null);

const sharedBy = oncePerObject((tables: FleetContext['tables']) => new Set(tables.flatMap(sharedSchemas)));

/** Tenants that look alike share one map of tables. */
const shapesOf = oncePerObject(
  (tables: TenantRead['tables']): DiffContext['actualTables'] =>
    new Map([...tables].map(([name, table]) => [name, table.shape])),
);

/** Tenants that look alike, as far as is known, and what their diff asks for. */
export interface Asking {
  readonly sheet: FactSheet;
  readonly schemas: readonly string[];
  /** What stands for the tables of all of them. */
  readonly tables: TenantRead['tables'];
}

/** A tenant that asks for itself. */
export const askingOf = ({ schema, tables }: TenantRead, sheet: FactSheet): Asking => ({
  sheet,
  tables,
  schemas: [schema],
});

/** Whether it matters which tenants ask: of most expressions, every tenant of a large fleet would be noted for nothing. */
const dependsOnWho = (question: Question): boolean =>
  question.kind === 'expression' ? isByTenant(question.columns, question) : !isFleetWide(question);

/** Each distinct question is asked once, for all the tenants that ask it; of a view, once for those that look alike. */
export async function fetchOpen(asking: readonly Asking[], fleet: FleetContext): Promise<void> {
  const asked = new Map<unknown, { question: Question; schemas: string[]; tables: TenantRead['tables'] }>();
  for (const { sheet, schemas, tables } of asking)
    for (const [key, question] of sheet.open) {
      const of = question.kind === 'view' ? question : key;
      const entry = asked.get(of) ?? { question, schemas: [], tables };
      asked.set(of, entry);
      if (dependsOnWho(question)) for (const schema of schemas) entry.schemas.push(schema);
    }
  await fleet.answers.fetch([...asked.values()]);
}

import { readColumnBarriers } from '../catalog/column-barriers.js';
import { readColumnUsers, readSequenceUsers } from '../catalog/column-users.js';
import { readDomainChecks } from '../catalog/domain-checks.js';
import { readGoingAlong } from '../catalog/going-along.js';
import { readUsage } from '../catalog/index-usage.js';
import { readIndexesOver } from '../catalog/indexes-over.js';
import { judgeView } from '../catalog/judge-view.js';
import { readKin } from '../catalog/kin.js';
import { readOwners } from '../catalog/owners.js';
import { readPersistenceTies } from '../catalog/persistence-ties.js';
import { readReferences } from '../catalog/references.js';
import { type Counted, readCounts, readPresence, readReleases } from '../catalog/row-facts.js';
import { readBuilding } from '../catalog/running-builds.js';
import { evenParts, shared } from '../catalog/shared-parts.js';
import { WORTH_A_SESSION, withSessionBeside } from '../catalog/shared-snapshot.js';
import type { Session } from '../database/session.js';
import type { Question } from '../diff/facts.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { AnswerSource, AskedQuestion } from './answer-source.js';

/** Reads what a question is answered by in some tenants, for all of them together; gives what looks up one's. */
export async function answerEach(
  by: AnswerSource,
  question: Question,
  schemas: readonly string[],
  tables: AskedQuestion['tables'],
): Promise<(schema: string) => unknown> {
  const { session, names, release, memory } = by;
  switch (question.kind) {
    case 'rows':
    case 'values': {
      const where = question.kind === 'rows' ? null : `${quoteIdentifier(question.column)} IS NOT NULL`;
      return from(
        await sideBySide(by, schemas, (one, part) => readPresence(one, tablesIn(part, question.table), where)),
        'unknown',
      );
    }
    case 'release': {
      if (release === null) return () => null;
      const stamps = await sideBySide(by, schemas, (one, part) => readReleases(one, part, release, memory.stamps));
      return (schema) => stamps.get(schema) ?? (stamps.has(schema) ? null : false);
    }
    case 'owner':
      return from(await readOwners(session, schemas), null);
    case 'users':
      return from(await readColumnUsers(session, schemas, question.table, question.column), []);
    case 'drawing':
      return from(await readSequenceUsers(session, schemas, question.table, question.column), []);
    case 'references':
      return from(await readReferences(session, schemas, question.table, question.column), []);
    case 'indexes':
      return from(await readIndexesOver(session, schemas, question.table, question.column), {
        computed: false,
        identity: false,
      });
    case 'going-along':
      return from(await readGoingAlong(session, schemas, question.table, question.column), []);
    case 'domain':
      return from(await readDomainChecks(session, schemas, question.type), { any: false, refusesNull: false });
    case 'persistence':
      return from(await readPersistenceTies(session, schemas, question.table), []);
    case 'barriers':
      return from(await readColumnBarriers(session, schemas, question.table), null);
    case 'kin':
      return from(await readKin(session, schemas, question.table, names), null);
    case 'building':
      return from(await readBuilding(session, schemas, question.table), null);
    case 'usage':
      return from(await readUsage(session, schemas, question.index), { scans: 0, bytes: 0 });
    case 'view': {
      const view = tables.get(question.table);
      if (view === undefined) return () => null;
      const columns = view.shape.columns.map((column) => column.name);
      const of = { schema: view.schema, name: question.table, oid: view.oid, columns };
      const same = await judgeView(session, of, question.query, names);
      return () => same;
    }
    default:
      throw new Error(`internal: ${question.kind} is no question about a tenant`);
  }
}

/** How many rows there are for each of some counts, of any tables of any tenants together. */
export const countAll = <K extends Counted>(
  by: Pick<AnswerSource, 'session' | 'beside'>,
  counts: readonly K[],
): Promise<ReadonlyMap<K, number>> => sideBySide(by, counts, readCounts);

/** Reads tables of tenants. The first look at ten thousand of them waits for their files: two sessions wait side by side. */
async function sideBySide<K, T>(
  by: Pick<AnswerSource, 'session' | 'beside'>,
  of: readonly K[],
  read: (session: Session, part: readonly K[]) => Promise<ReadonlyMap<K, T>>,
): Promise<ReadonlyMap<K, T>> {
  const beside = of.length < WORTH_A_SESSION ? null : by.beside;
  return withSessionBeside(
    by.session,
    beside,
    async (sessions) =>
      new Map(
        await shared(sessions, evenParts(of, sessions.length), async (session, part) => [
          ...(await read(session, part)),
        ]),
      ),
  );
}

const tablesIn = (schemas: readonly string[], table: string) => schemas.map((schema) => ({ schema, table }));

const from =
  <T>(found: ReadonlyMap<string, T>, otherwise: T | null) =>
  (schema: string): unknown =>
    found.get(schema) ?? otherwise;

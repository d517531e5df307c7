import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { openDatabase } from '../../src/database/open-database.js';
import type { Database } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import type { LoadOptions } from '../../src/desired-state/load-options.js';
import type { Examination } from '../../src/doctor/examination.js';
import { doctorDefaults, examineFleet } from '../../src/doctor/examine-fleet.js';
import type { CheckName, Finding } from '../../src/doctor/finding.js';
import type { DoctorRequest } from '../../src/doctor/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { loadShipped } from './fleet.js';
import type { TestDatabase } from './test-database.js';

/** What a test may vary; everything else as a bare `trueup doctor` has it. */
export interface LookOptions {
  readonly directory?: string;
  readonly load?: Partial<LoadOptions>;
  readonly schemas?: readonly string[];
  readonly run?: Partial<Pick<DoctorRequest, 'concurrency' | 'lockTimeout' | 'longTransaction'>>;
  /** Is given every statement. */
  readonly statements?: string[];
}

/** Looks at one database, or at several by id. */
export async function look(
  url: string | Readonly<Record<string, string>>,
  options: LookOptions = {},
): Promise<Examination> {
  const urls = typeof url === 'string' ? { main: url } : url;
  const databases: Database[] = [];
  try {
    for (const [id, each] of Object.entries(urls)) {
      const target = resolveTarget({ databaseUrl: each, environment: {}, variables: [] });
      const observe = ({ sql }: { readonly sql: string }) => options.statements?.push(sql);
      databases.push(await openDatabase(target, { id, maxSessions: 4, observe }));
    }
    return await examineFleet(databases, {
      desired: await loadShipped(options),
      reload: (changes) => loadShipped({ ...options, load: { ...options.load, ...changes } }),
      selection: { schemas: options.schemas ?? [], exclude: [], allowEmpty: true, allowAbsent: false },
      progress: NO_PROGRESS,
      ...doctorDefaults(),
      ...options.run,
    });
  } finally {
    await Promise.all(databases.map((database) => database.close()));
  }
}

/** The findings of one check. */
export const of = (seen: Examination, check: CheckName): readonly Finding[] =>
  seen.databases.flatMap(({ findings }) => findings.filter((finding) => finding.check === check));

/** `check severity` of whatever is not well. */
export const troubles = (seen: Examination): readonly string[] =>
  seen.databases.flatMap(({ findings }) =>
    findings.flatMap(({ check, severity }) => (severity === 'ok' ? [] : [`${check} ${severity}`])),
  );

/** What tests of the findings need, on their own database. */
export function looking(test: () => TestDatabase, directory: string) {
  const seen = (options: LookOptions = {}, url = test().url) => look(url, { directory, ...options });

  /** Runs what a finding of the check says, each statement by itself, as an administrator; gives how many there were. */
  async function mend(check: CheckName, options: LookOptions = {}, url = test().url): Promise<number> {
    const statements = of(await seen(options, url), check).flatMap((finding) => finding.statements);
    for (const statement of statements) await test().query(statement);
    return statements.length;
  }

  /** Settings are read again a moment after they were asked to be, and a backend that was ended is gone a moment after. */
  async function eventually(check: CheckName, options: LookOptions = {}, url = test().url): Promise<void> {
    const well = async () => of(await seen(options, url), check).every(({ severity }) => severity === 'ok');
    for (const end = Date.now() + 10_000; Date.now() < end && !(await well()); await sleep(50));
    expect(of(await seen(options, url), check)).toMatchObject([{ severity: 'ok' }]);
  }

  /** A role of the test's own, and its URL. */
  async function withRole<T>(attributes: string, work: (url: string, role: string) => Promise<T>): Promise<T> {
    const role = `trueup_role_${Math.random().toString(36).slice(2, 10)}`;
    await test().exec(`CREATE ROLE ${role} LOGIN ${attributes}`);
    try {
      return await work(test().urlFor(role), role);
    } finally {
      await test().exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  }

  return { seen, mend, eventually, withRole };
}

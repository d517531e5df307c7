/** Every check, in the order in which they are made and told; part of the JSON contract. */
export const CHECKS = [
  'server',
  'encoding',
  'connections',
  'pooler',
  'tenants',
  'privileges',
  'extensions',
  'search-path',
  'lock-table',
  'deadlock-timeout',
  'build-memory',
  'long-transactions',
  'prepared-transactions',
  'replication-slots',
  'migrations',
  'autovacuum',
  'wraparound',
  'invalid-indexes',
  'unused-indexes',
] as const;
export type CheckName = (typeof CHECKS)[number];

/**
 * `problem`: plan, apply or the application fails or comes to harm as things stand. `warning`: they may, or work less
 * well. `note`: worth knowing. `ok`: looked at, and well. Part of the JSON contract.
 */
export const SEVERITIES = ['problem', 'warning', 'note', 'ok'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a finding is about: the first few by name, and how many there are. */
export interface Subjects {
  readonly count: number;
  readonly shown: readonly string[];
}

/** What one check found. */
export interface Finding {
  readonly check: CheckName;
  readonly severity: Severity;
  /** False: the server did not let the check look, and `why` says what it answered. */
  readonly looked: boolean;
  readonly what: string;
  /** Why it matters to trueup's work here; null where all is well. */
  readonly why: string | null;
  /** What to do, in words; null where there is nothing to do or the statements say it all. */
  readonly remedy: string | null;
  /** SQL that mends it, ready to be pasted; the first few where each subject needs its own. */
  readonly statements: readonly string[];
  readonly subjects: Subjects;
}

/** How many subjects, and statements of one kind, a finding names. */
export const SHOWN = 5;

/** What a finding says beside its check and severity. */
type Told = Partial<Pick<Finding, 'why' | 'remedy' | 'statements'>> & {
  readonly what: string;
  /** All of them: the finding keeps the first {@link SHOWN}. */
  readonly subjects?: readonly string[];
  /** How many there are, where `subjects` are not all. */
  readonly count?: number;
};

/** A finding; what is left out is none. */
export const finding = (check: CheckName, severity: Severity, told: Told): Finding => ({
  check,
  severity,
  looked: true,
  what: told.what,
  why: told.why ?? null,
  remedy: told.remedy ?? null,
  statements: (told.statements ?? []).slice(0, SHOWN),
  subjects: {
    count: told.count ?? told.subjects?.length ?? 0,
    shown: (told.subjects ?? []).slice(0, SHOWN),
  },
});

/** A check that the server did not let look. */
export const notLooked = (check: CheckName, answer: string): Finding => ({
  ...finding(check, 'note', { what: 'could not look', why: answer }),
  looked: false,
});

/**
 * The library behind the commands: whatever a command does, another program can.
 *
 * @example
 * const options = {
 *   directory: 'desired-state', environment: process.env, backends: {}, parameters: {}, phases: null,
 *   skipExtensionPhases: false,
 * };
 * const desired = await loadDesiredState(options);
 * const target = resolveTarget({ environment: process.env, variables: desired.connectionVariables });
 * const database = await openDatabase(target, { id: 'main' });
 * try {
 *   const plan = await planFleet(database, {
 *     desired,
 *     // Without it neither overrides nor alternatives are followed.
 *     reload: (changes) => loadDesiredState({ ...options, ...changes }),
 *     selection: { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false },
 *     allow: new Set(),
 *     progress: NO_PROGRESS,
 *   });
 *   console.log(planDocument(plan, { showValues: false }).summary);
 * } finally {
 *   await database.close();
 * }
 */

// Load: YAML files to a desired state. No database.

export { loadDesiredState } from './desired-state/load.js';
export type { LoadOptions } from './desired-state/load-options.js';
export type { DesiredState } from './desired-state/model.js';
export { type ValidationSummary, validateDesiredState } from './desired-state/validate.js';

// Inspect: a tenant that exists, as files. Reads only.

export { inspectTenant } from './inspect/inspect-tenant.js';
export type { InspectedFile, Inspection, InspectRequest } from './inspect/inspection.js';
export type { Note } from './inspect/items.js';

// Connect: a server, or the embedded PostgreSQL.

export { closeDatabases, openDatabase, openDatabases } from './database/open-database.js';
export type { DatabaseOptions } from './database/options.js';
export {
  type Database,
  DatabaseError,
  type Session,
  type StatementObserver,
  type TargetDescription,
} from './database/session.js';
export {
  type NamedTarget,
  resolveTarget,
  resolveTargets,
  type Target,
  type TargetOptions,
  type TargetsOptions,
} from './database/target.js';

// Plan: what differs, and what apply would do about it. Reads only.

export type { TenantSelection } from './catalog/discover.js';
export { isInShard, type Shard } from './catalog/shard.js';
export {
  ACTIONS,
  type Action,
  type Change,
  HAZARDS,
  type Hazard,
  type Member,
  STATUSES,
  type Status,
  type TenantChange,
} from './diff/change.js';
export { APPROVALS, type Approval } from './diff/context.js';
export { LOCK_MODES, type LockMode } from './diff/lock-mode.js';
export type { Step } from './diff/step.js';
export type { Reload } from './plan/desired-variants.js';
export {
  type DatabasePlan,
  DIAGNOSTIC_CODES,
  type Diagnostic,
  type DiagnosticCode,
  type DriftClass,
  type FleetPlan,
  type PlannedTenant,
  type PlanSummary,
  type UnreadableTenant,
} from './plan/fleet-plan.js';
export { planFleet } from './plan/plan-fleet.js';
export type { PlanRequest } from './plan/request.js';

// Save a plan, and hold a new one against it: what differs is stale, what was edited is refused.

export { type AdmittedDatabases, admitDatabases } from './apply/admit-databases.js';
export { type CheckedPlan, checkDatabase, checkDesiredState, checkPlan, withGone } from './apply/saved-plan.js';
export { type DatabaseIdentity, readIdentity } from './catalog/database-identity.js';
export { ASKED_FOR_ALL, type Asked } from './plan/asked.js';
export type {
  ApprovedChange,
  ApprovedDatabase,
  ApprovedDrift,
  ApprovedPlan,
  ApprovedState,
  PlanFile,
} from './plan/plan-file.js';
export { readPlanFile } from './plan/plan-file-read.js';
export { planFileOf, writePlanFile } from './plan/plan-file-write.js';

// Apply: makes the pending changes, and shows by a second introspection that nothing differs any more.

export { applyFleet } from './apply/apply-fleet.js';
export { type ApplyEvent, EVENT_KINDS } from './apply/events.js';
export type { FleetOutcome } from './apply/fleet-outcome.js';
export {
  type ApplySummary,
  type ChangeOutcome,
  OUTCOMES,
  type Outcome,
  type TenantFailure,
  type TenantOutcome,
} from './apply/outcome.js';
export {
  type ApplyLimits,
  type ApplyRequest,
  DEFAULT_LIMITS,
  type MaxFailures,
  runDefaults,
} from './apply/request.js';
export { RunControl, STOP_REASONS, type StopReason } from './apply/run-control.js';

// Explain: which index the planner takes for the queries that indexes are there for.

export type { DesiredProbe, ServingIndex } from './desired-state/probe.js';
export { explainFleet } from './explain/explain-fleet.js';
export {
  type ExpectedIndex,
  type ExplainedDatabase,
  type ExplainedIndex,
  type Explanation,
  type Partition,
  type ProbeResult,
  type RowCount,
  VERDICTS,
  type Verdict,
  type WithoutGlobal,
} from './explain/explanation.js';
export type { ProbePlan } from './explain/plan-nodes.js';
export { DEFAULT_STATEMENT_TIMEOUT, type ExplainRequest } from './explain/request.js';

// Examine: what surrounds a fleet, and what would keep plan and apply from their work. Reads catalogs only.

export { type Examination, type ExaminedDatabase, severityCounts } from './doctor/examination.js';
export { doctorDefaults, examineFleet } from './doctor/examine-fleet.js';
export { CHECKS, type CheckName, type Finding, SEVERITIES, type Severity, type Subjects } from './doctor/finding.js';
export type { DoctorRequest } from './doctor/request.js';

// Report: pure functions of a plan or an outcome.

export type { ChangeName } from './plan/change-name.js';
export { type EventDocument, type EventOptions, eventDocument } from './report/apply-events.js';
export {
  type ApplyDocument,
  applyDocument,
  type ChangeOutcomeDocument,
  type FailureDocument,
  type TenantOutcomeDocument,
} from './report/apply-json.js';
export { type ApplyTextOptions, applyText } from './report/apply-text.js';
export type { ChangeDocument } from './report/change-document.js';
export { type DoctorDocument, doctorDocument } from './report/doctor-json.js';
export { type DoctorTextOptions, doctorText } from './report/doctor-text.js';
export {
  type ExplainDocument,
  explainDocument,
  type ProbeDocument,
  type WithoutDocument,
} from './report/explain-json.js';
export { type ExplainTextOptions, explainText } from './report/explain-text.js';
export { type HtmlReportOptions, htmlReport, type ReportedRun } from './report/html/report.js';
export type { ReportError, SeenTenants } from './report/html/report-input.js';
export { NO_COLOR } from './report/layout.js';
export { MemberNames } from './report/member-names.js';
export {
  type DatabaseDocument,
  type DesiredStateDocument,
  type DriftClassDocument,
  type PlanDocument,
  type PlannedChangeDocument,
  planDocument,
} from './report/plan-json.js';
export { planSql } from './report/plan-sql.js';
export { type PlanTextOptions, planText } from './report/plan-text.js';
export {
  applySchema,
  doctorSchema,
  errorSchema,
  eventSchema,
  explainSchema,
  type JsonSchema,
  planFileSchema,
  planSchema,
} from './report/schemas.js';

// What every floor speaks.

export { NO_PROGRESS, type Progress } from './progress.js';
export { type SqlTemplate, showSql } from './sql/template.js';
export { ERROR_CODES, type ErrorCode, TrueupError } from './trueup-error.js';

import { type FileHandle, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrueupError } from '../trueup-error.js';
import { writeWhole } from '../write-whole.js';
import { approvedPlan } from './approved-plan.js';
import type { FleetPlan } from './fleet-plan.js';
import { type ApprovedDatabase, PLAN_FILE_FORMAT, PLAN_FILE_VERSION, type PlanFile } from './plan-file.js';
import { isPlanFile, openPlanFile } from './plan-file-open.js';

/** Characters that are gathered before they are written. */
const CHUNK = 1 << 20;

/** A plan as its file holds it. */
export const planFileOf = (plan: FleetPlan, trueupVersion: string): PlanFile => ({
  format: PLAN_FILE_FORMAT,
  formatVersion: PLAN_FILE_VERSION,
  trueupVersion,
  createdAt: plan.createdAt.toISOString(),
  planId: plan.planId,
  directory: plan.desired.directory,
  approved: approvedPlan(plan),
});

/**
 * Refuses, before anything is planned, a path that a plan could not be written to: whatever stands there and is neither a
 * plan file nor empty stays.
 * @throws {TrueupError} PLAN_FILE_NOT_WRITTEN
 */
export async function checkPlanFilePath(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await openPlanFile(path);
  } catch (error) {
    if (isMissing(error)) return checkDirectory(path);
    throw notWritten(path, error instanceof TrueupError ? error.message : reasonOf(error), error);
  }
  try {
    const { size } = await file.stat();
    if (size > 0 && !(await isPlanFile(file))) throw notWritten(path, 'it is there already, and is no plan file', null);
  } finally {
    await file.close();
  }
}

/**
 * Writes a plan file that only its owner may read (it holds values of rows), whole or not at all.
 * @throws {TrueupError} PLAN_FILE_NOT_WRITTEN
 */
export async function writePlanFile(path: string, file: PlanFile): Promise<void> {
  await checkPlanFilePath(path);
  await writeWhole(path, chunks(planFileText(file)), 0o600).catch((error: unknown) => {
    throw notWritten(path, reasonOf(error), error);
  });
}

/** The file's text in pieces, a tenant a line: the text of a large fleet is longer than a string may be. */
export function* planFileText(file: PlanFile): Iterable<string> {
  const { approved, ...head } = file;
  const { databases, ...asked } = approved;
  yield `${opened(head)},\n"approved":${opened(asked)},\n"databases":[`;
  for (const [at, database] of databases.entries()) {
    yield at === 0 ? '\n' : ',\n';
    yield* databaseText(database);
  }
  yield '\n]}}\n';
}

function* databaseText({ changes, classes, tenants, inSync, unreadable, ...head }: ApprovedDatabase): Iterable<string> {
  yield opened(head);
  const lists = { changes, classes, tenants, inSync, unreadable };
  for (const [name, list] of Object.entries(lists)) {
    yield `,\n"${name}":[`;
    for (const [at, one] of list.entries()) yield `${at === 0 ? '' : ','}\n ${JSON.stringify(one)}`;
    yield ']';
  }
  yield '}';
}

/** An object's JSON without its closing brace. */
const opened = (value: object): string => JSON.stringify(value).slice(0, -1);

function* chunks(pieces: Iterable<string>): Iterable<string> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  yield text;
}

async function checkDirectory(path: string): Promise<void> {
  try {
    await realpath(dirname(path));
  } catch (error) {
    throw notWritten(path, 'its directory does not exist', error);
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const notWritten = (path: string, why: string, cause: unknown): TrueupError =>
  new TrueupError('PLAN_FILE_NOT_WRITTEN', `the plan was not saved: ${why}`, {
    where: path,
    remedy: 'name a file that does not exist, or an older plan file, in a directory that you may write to',
    cause,
  });

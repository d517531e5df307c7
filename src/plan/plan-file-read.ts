import type { FileHandle } from 'node:fs/promises';
import { TrueupError } from '../trueup-error.js';
import { PLAN_FILE_VERSION, type PlanFile, planId } from './plan-file.js';
import { isPlanFile, openPlanFile } from './plan-file-open.js';
import { validatePlanFile } from './plan-file-validator.js';

/** Bytes; a string cannot be longer. */
const LARGEST = 512 * 1024 * 1024 - 1024;

const REMEDY = 'make a new plan: trueup plan --out FILE';

/**
 * Reads a plan file and checks that it is whole and as it was written.
 * @throws {TrueupError} PLAN_FILE_INVALID for anything else, PLAN_FILE_VERSION for one of another format version
 */
export async function readPlanFile(path: string): Promise<PlanFile> {
  let file: FileHandle;
  try {
    file = await openPlanFile(path);
  } catch (error) {
    throw invalid(
      path,
      `the plan file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  try {
    if (!(await isPlanFile(file))) throw invalid(path, 'this is no plan file', null);
    const { size } = await file.stat();
    if (size > LARGEST) throw invalid(path, `the plan file is too large (${size} bytes)`, null);
    return parsePlanFile(await file.readFile('utf8'), path);
  } finally {
    await file.close();
  }
}

/** The same for a file's text. */
export function parsePlanFile(text: string, path: string): PlanFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, 'the plan file is damaged or cut off: it is not JSON', error);
  }
  const version = versionOf(value);
  if (version !== PLAN_FILE_VERSION)
    throw new TrueupError(
      'PLAN_FILE_VERSION',
      `the plan file has the format version ${JSON.stringify(version ?? null).slice(0, 40)}; this trueup reads ${PLAN_FILE_VERSION}`,
      { where: path, remedy: `apply it with the trueup that wrote it, or ${REMEDY}` },
    );
  if (!validatePlanFile(value)) {
    const [error] = validatePlanFile.errors ?? [];
    throw invalid(
      path,
      `the plan file was edited or damaged: ${error?.instancePath || '/'} ${error?.message ?? ''}`,
      null,
    );
  }
  if (planId(value.approved) !== value.planId || !isConsistent(value))
    throw invalid(path, 'the plan file was edited: its id is not that of what it holds', null);
  return value;
}

function versionOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'formatVersion' in value ? value.formatVersion : undefined;
}

/** What the schema cannot say: tenants point to classes that there are, and fill in all of their changes. */
const isConsistent = ({ approved }: PlanFile): boolean =>
  approved.databases.every(({ classes, tenants }) =>
    tenants.every((tenant) => {
      const changes = classes[tenant.class];
      return changes !== undefined && (tenant.members === undefined || tenant.members.length === changes.length);
    }),
  );

const invalid = (path: string, message: string, cause: unknown): TrueupError =>
  new TrueupError('PLAN_FILE_INVALID', message, { where: path, remedy: REMEDY, cause });

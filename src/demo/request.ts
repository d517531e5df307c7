import { fileURLToPath } from 'node:url';
import { type ApplyRequest, runDefaults } from '../apply/request.js';
import { loadDesiredState } from '../desired-state/load.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Progress } from '../progress.js';

/** The desired state that the package ships, whatever variables the surroundings set. */
export const demoDesiredState = (): Promise<DesiredState> =>
  loadDesiredState({
    directory: fileURLToPath(new URL('../../desired-state', import.meta.url)),
    environment: {},
    backends: {},
    parameters: {},
    phases: null,
    skipExtensionPhases: false,
  });

/** What `plan` and `apply` ask for when they are given no flags. */
export const demoRequest = (
  desired: DesiredState,
  progress: Progress,
  selection: { readonly schemas: readonly string[]; readonly allowAbsent: boolean } = {
    schemas: [],
    allowAbsent: false,
  },
): ApplyRequest => ({
  desired,
  selection: { ...selection, exclude: [], allowEmpty: false },
  allow: new Set(),
  progress,
  ...runDefaults(),
  concurrency: 1,
});

import { fileURLToPath } from 'node:url';
import { loadDesiredState } from '../../src/desired-state/load.js';
import type { DesiredState } from '../../src/desired-state/model.js';

/** The desired state that the package ships. */
export const SHIPPED = fileURLToPath(new URL('../../desired-state', import.meta.url));

/** Loads it, whatever variables the surroundings set. */
export const loadShipped = (): Promise<DesiredState> =>
  loadDesiredState({
    directory: SHIPPED,
    environment: {},
    backends: {},
    parameters: {},
    phases: null,
    skipExtensionPhases: false,
  });

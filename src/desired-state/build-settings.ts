import { closest, shown } from '../did-you-mean.js';
import { isExtensionSetting } from './probe-settings.js';
import type { Reading } from './reading.js';
import { keyAt, type Place, within } from './yaml-file.js';

/** PostgreSQL's own that an index build looks at. */
const BUILD = [
  'maintenance_work_mem',
  'max_parallel_maintenance_workers',
  'max_parallel_workers',
  'maintenance_io_concurrency',
  'effective_io_concurrency',
  'min_parallel_table_scan_size',
  'min_parallel_index_scan_size',
  'parallel_leader_participation',
  'temp_tablespaces',
  'temp_file_limit',
  'default_tablespace',
  'synchronous_commit',
  'work_mem',
];

/**
 * Notes settings that say nothing of a build: one that does not exist would fail each build in the midst of a run, and
 * others change whose rights it runs with, how long it waits for locks, or where names are looked up.
 */
export function checkBuildSettings(settings: Readonly<Record<string, unknown>>, place: Place, reading: Reading): void {
  for (const name of Object.keys(settings)) {
    if (BUILD.includes(name) || isExtensionSetting(name)) continue;
    const near = closest(name, BUILD);
    reading.problems.invalid(
      `${shown(name)} is no setting of index builds`,
      keyAt(within(place, name)),
      near === null ? `there are: ${BUILD.join(', ')}, and those of extensions` : `did you mean ${shown(near)}?`,
    );
  }
}

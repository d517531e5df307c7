import { groupBy } from '../collections.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import { unreadableRemedy } from '../plan/unreadable.js';
import { paragraph, type TextOptions } from './layout.js';
import { diagnosticsOf } from './plan-json.js';
import { withoutRowValues } from './row-values.js';
import { ofSeveral, tenantName } from './tenant-name.js';
import { visible } from './visible.js';
import { counted } from './words.js';

/** Notices of one kind that are shown unless verbose: a fleet may have thousands of them. */
const SHOWN = 5;

/** Tenants that could not be read, then warnings and notes, each with what to do. */
export function noticeLines(
  plan: FleetPlan,
  options: TextOptions & { readonly verbose: boolean; readonly showValues: boolean },
): readonly string[] {
  const { color, width } = options;
  const limit = options.verbose ? Number.POSITIVE_INFINITY : SHOWN;
  const unreadable = plan.databases
    .flatMap((database) => database.unreadable)
    .map((tenant) => {
      const { message } = tenant;
      const shown = visible(options.showValues ? message : withoutRowValues(message));
      return [
        ...paragraph(`Not readable: tenant ${visible(tenantName(plan, tenant))}: ${shown}`, width, 0, 2).map((line) =>
          color.red(line),
        ),
        ...paragraph(`do: ${unreadableRemedy(tenant)}`, width, 2, 2),
      ];
    });
  const diagnostics = groupBy(diagnosticsOf(plan), (diagnostic) => diagnostic.code);
  const notices = [...diagnostics.values()].map((group) =>
    group.map(({ severity, message, remedy, database }) => {
      // What is said of a database, or of a tenant, reads alike in each of several.
      const where = ofSeveral(plan) ? `database ${visible(database)}: ` : '';
      const style = severity === 'warning' ? color.yellow : color.cyan;
      const head = severity === 'warning' ? 'Warning' : 'Note';
      return [
        ...paragraph(`${head}: ${where}${visible(message)}`, width, 0, 2).map((line) => style(line)),
        ...(remedy === null ? [] : paragraph(`do: ${visible(remedy)}`, width, 2, 2)),
      ];
    }),
  );
  return [unreadable, ...notices].flatMap((group) => {
    const left = group.length - limit;
    const more = `… and ${counted(left, 'more of this kind', 'more of this kind')}: --verbose or --json shows all.`;
    return [...group.slice(0, limit).flat(), ...(left > 0 ? [more] : [])];
  });
}

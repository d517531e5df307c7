import type { BenchDocument } from './bench-document.js';
import type { Figure } from './measure.js';
import { PROBED } from './plan-cases.js';
import type { Target } from './targets.js';

/** The results as Markdown: what was measured on, the promises, the figures. */
export function benchTables(document: BenchDocument): string {
  return [circumstances(document), targetTable(document.targets), figureTable(document)].join('\n\n');
}

function circumstances({
  machine,
  server,
  fleet,
  runs,
  firstPlanSeconds,
  createdAt,
  trueupVersion,
}: BenchDocument): string {
  const where =
    server.settings === null
      ? `a server that was given`
      : `a server on the same machine (${Object.entries(server.settings)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')})`;
  return [
    `Measured ${createdAt.slice(0, 10)} with trueup ${trueupVersion} on ${counted(machine.cpus)} cores (${machine.model}),`,
    `${gigabytes(machine.memoryBytes)} of memory, ${machine.system}, Node ${machine.node}; PostgreSQL ${server.version}, ${where}.`,
    `${counted(fleet.tenants)} tenants with ${counted(fleet.banks)} banks each: ${counted(fleet.relations)} rows in \`pg_class\`,`,
    `${gigabytes(fleet.databaseBytes)}, built in ${fleet.buildSeconds.toFixed(0)} s. Medians of ${counted(runs)}, least and greatest in brackets;`,
    `before them a first plan of all phases, which filled the server's buffers, took ${seconds(firstPlanSeconds)}.`,
  ].join('\n');
}

const targetTable = (targets: readonly Target[]): string =>
  table(
    ['promise', 'asked', 'measured', ''],
    targets.map((target) => [
      target.text,
      target.limit === null
        ? 'nothing for so few tenants'
        : `${target.bound === 'at-least' ? 'at least' : 'at most'} ${amount(target.limit, target.unit)}`,
      amount(target.measured, target.unit),
      verdict(target),
    ]),
  );

/** A promise that the floors alone break says so: no program could keep it. */
function verdict({ met, floor, limit, bound, unit }: Target): string {
  if (met === null || limit === null) return '';
  if (met) return 'met';
  const isOutOfReach = bound === 'at-most' && floor !== null && floor > limit;
  return isOutOfReach ? `**not met**; the floors of both take ${amount(floor, unit)}` : '**not met**';
}

function figureTable({ figures, fleet }: BenchDocument): string {
  const rows = figures.map((figure) => [
    figure.label +
      (figure.tenants > 0 && figure.tenants !== fleet.tenants && figure.tenants !== 1
        ? ` (${counted(figure.tenants)} of them)`
        : ''),
    time(figure),
    figure.peakMemory === null ? '' : amount(figure.peakMemory, 'bytes'),
    figure.wire === null ? '' : counted(figure.wire.statements),
    figure.wire === null ? '' : counted(figure.wire.roundTrips),
    figure.wire === null ? '' : bytes(figure.wire.bytesSent),
    figure.wire === null ? '' : bytes(figure.wire.bytesReceived),
  ]);
  const measured = table(['', 'time', 'peak memory', 'statements', 'round trips', 'sent', 'received'], rows);
  if (fleet.tenants <= PROBED) return measured;
  const probing = figures.find((figure) => figure.id === 'probing');
  if (probing === undefined) return measured;
  const whole = (probing.seconds.median / probing.tenants) * fleet.tenants;
  return `${measured}\n\nProbing was measured on ${counted(PROBED)} tenants; all of them would take ${seconds(whole)} at that rate.`;
}

const time = ({ seconds: { median, min, max } }: Figure): string =>
  `${seconds(median)} (${seconds(min)} to ${seconds(max)})`;

function amount(value: number, unit: Target['unit']): string {
  if (unit === 'bytes') return bytes(value);
  return unit === 'seconds' ? seconds(value) : `${value >= 10 ? value.toFixed(0) : value.toFixed(2)} ×`;
}

const seconds = (value: number): string => `${value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)} s`;
const gigabytes = (value: number): string => `${(value / 1e9).toFixed(1)} GB`;
const counted = (value: number): string => value.toLocaleString('en-US');

const bytes = (value: number): string => {
  if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e8 ? 0 : 1)} MB`;
  return `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)} kB`;
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`.replaceAll(/ {2,}/gu, ' ');
  return [line(head), `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

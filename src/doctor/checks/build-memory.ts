import type { Row } from '../../database/session.js';
import { size } from '../../measures.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { check, oidsOf } from '../check.js';
import { finding } from '../finding.js';

const GIGABYTE = 1024 ** 3;

/** maintenance_work_mem against the largest table on which a phase builds indexes of its own. */
export const buildMemory = check({
  name: 'build-memory',
  read: async (context) => {
    const owning = new Set(
      context.desired.phases.flatMap((phase) => (phase.selected && phase.owns !== null ? [phase.name] : [])),
    );
    const tables = context.desired.tables
      .filter((table) => [...table.indexes, ...table.families].some((index) => owning.has(index.phase)))
      .map((table) => table.name);
    const [row] = await context.session.query<Row & { memory: string; bytes: string | null; table: string | null }>(
      `select (pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')))::text memory,
              largest.bytes::text bytes, largest.name "table"
         from (select) one
         left join lateral (
           select (c.relpages::int8 + coalesce(t.relpages, 0)) * pg_catalog.current_setting('block_size')::int8 bytes,
                  n.nspname::text || '.' || c.relname::text "name"
             from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             left join pg_catalog.pg_class t on t.oid = c.reltoastrelid
            where c.relname = any($2::name[]) and c.relnamespace = any($1::oid[]) and c.relkind = 'r'
            order by 1 desc limit 1) largest on true`,
      [oidsOf(context), tables],
    );
    return { memory: Number(row?.memory ?? 0), largest: Number(row?.bytes ?? 0), table: row?.table ?? null };
  },
  judge: ({ memory, largest, table }, { desired, here }) => {
    const declared = desired.phases.find(
      (phase) => phase.selected && phase.owns !== null && phase.buildSettings.maintenance_work_mem !== undefined,
    );
    if (declared !== undefined)
      return [
        finding('build-memory', 'ok', {
          what: `builds of phase ${declared.name} set maintenance_work_mem to ${declared.buildSettings.maintenance_work_mem}, whatever the server has (${size(memory)})`,
        }),
      ];
    const what = `maintenance_work_mem is ${size(memory)}`;
    if (largest <= memory || table === null) return [finding('build-memory', 'ok', { what })];
    const wanted = Math.min(Math.ceil((1.25 * largest) / GIGABYTE), 8);
    return [
      finding('build-memory', 'note', {
        what: `${what}; ${table} is about ${size(largest)}`,
        why: 'an index build that does not fit into it takes much longer, vector graphs above all',
        remedy:
          'give apply’s role more, as far as the server has it to spare, or declare build_settings in the backend’s file',
        statements: [`ALTER ROLE ${quoteIdentifier(here.loginUser)} SET maintenance_work_mem = '${wanted}GB'`],
        subjects: [table],
      }),
    ];
  },
});

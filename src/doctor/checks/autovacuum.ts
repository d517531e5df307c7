import type { Row } from '../../database/session.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** Whether dead rows go by themselves. */
export const autovacuum = check({
  name: 'autovacuum',
  read: async ({ session }) =>
    session.embedded
      ? null
      : session.query<Row & { name: string }>(
          `select s.name from pg_catalog.pg_settings s where s.name in ('autovacuum', 'track_counts') and s.setting = 'off'
            order by 1`,
        ),
  judge: (off) =>
    off === null || off.length === 0
      ? [finding('autovacuum', 'ok', { what: off === null ? 'embedded: none runs' : 'on' })]
      : [
          finding('autovacuum', 'warning', {
            what: `${off.map(({ name }) => name).join(' and ')} off`,
            why: 'each object that is made or dropped leaves dead rows in the catalogs, which every plan reads whole; without vacuum they only grow',
            statements: [
              ...off.map(({ name }) => `ALTER SYSTEM SET ${name} = on`),
              'SELECT pg_catalog.pg_reload_conf()',
            ],
          }),
        ],
});

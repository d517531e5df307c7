import type { Row } from '../../database/session.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** The encoding of names and values. */
export const encoding = check({
  name: 'encoding',
  read: async ({ session }) => {
    const [row] = await session.query<Row & { encoding: string }>(
      `select pg_catalog.pg_encoding_to_char(d.encoding)::text "encoding"
         from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`,
    );
    return row?.encoding ?? '';
  },
  judge: (is) =>
    is === 'UTF8'
      ? [finding('encoding', 'ok', { what: 'UTF8' })]
      : [
          finding('encoding', 'warning', {
            what: `the database is in ${is}, not UTF8`,
            why:
              is === 'SQL_ASCII'
                ? 'it checks no text: a name or a value that is no UTF-8 cannot be read, and that tenant not planned'
                : 'a value without a character there cannot stand in an index predicate, and that statement fails',
            remedy:
              'the encoding of a database cannot be changed: dump it, and restore it into one made with ENCODING UTF8',
          }),
        ],
});

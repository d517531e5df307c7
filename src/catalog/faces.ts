import { isChangeableColumn } from './relevance-sql.js';

/** Of columns `a`, those of table `r`. */
export const COLUMNS_OF_TABLE = 'a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped';

/**
 * Tables of one name and like columns, by one of them: what follows from their columns is told once. `nums` are the columns whose
 * defaults and constraints are relevant, and `defaulted` those of them that have a default, where tables are cut; `numbered` those,
 * or all, that have a sequence of their own, identity columns. A predicate reads alike over each, and the server opens the table
 * over which it puts one into words: of ten thousand that took as long as the words of nine members each.
 */
export const faces = (isCut: boolean): string => {
  const numbers = (condition: string) => `pg_catalog.array_agg(a.attnum) filter (where ${condition})`;
  const changeable = isChangeableColumn('a.attname');
  const columns = isCut
    ? `${numbers(changeable)} nums, ${numbers(`${changeable} and a.atthasdef`)} defaulted,
           ${numbers(`${changeable} and a.attidentity <> ''`)} numbered`
    : `${numbers(`a.attidentity <> ''`)} numbered`;
  return `
face as materialized (
  select f.*, a.* from (select relname, h, min(oid) rel from rel group by 1, 2) f join rel r on r.oid = f.rel
   cross join lateral (
    select ${columns}
      from pg_catalog.pg_attribute a where ${COLUMNS_OF_TABLE}${isCut ? ' and not r.bare' : ''}) a),`;
};

/** That of table `r`, to be joined. */
export const FACE_OF_TABLE = 'face on face.relname = r.relname and face.h = r.h';

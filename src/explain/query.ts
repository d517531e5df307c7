import { unsafeCalls, unsafeOperators } from '../catalog/callable.js';
import type { Session } from '../database/session.js';
import type { DesiredProbe } from '../desired-state/probe.js';
import { join } from '../desired-state/reading.js';
import { calledWithArguments } from '../sql/called-functions.js';
import { tokenize } from '../sql/lexer.js';
import type { NameResolver } from '../sql/names.js';
import { foreignNames } from '../sql/object-names.js';
import { qualifyNames } from '../sql/qualify.js';
import { qualifyOperators } from '../sql/qualify-operators.js';
import { joinSql, literalVariable, relativeSql, type SqlTemplate } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';

/**
 * A probe's query as one database understands it: names and operators of extensions qualified, so that it needs no search_path,
 * tables those of the tenant, variables left open.
 *
 * Planning runs immutable functions and estimates with stable ones. So the query may call only immutable functions of
 * pg_catalog and functions, operators and types of declared extensions.
 * @throws {TrueupError} FRAGMENT_REFUSED before anything of it is planned
 */
export async function queryTemplate(
  session: Session,
  probe: DesiredProbe,
  names: NameResolver,
  operatorSchema: (operator: string) => string | null,
): Promise<SqlTemplate> {
  const written = join(probe.query, (variable) => markerOf(variable));
  const text = await qualifyNames('query', await qualifyOperators(written, operatorSchema), names);
  await checkQuery(session, text, probe, names);
  return joinSql(
    tokenize(text).map((token) => {
      const isVariable = token.kind === 'string' && token.value.startsWith(MARK);
      return isVariable ? literalVariable(token.value.slice(MARK.length)) : relativeSql(token.text);
    }),
    '',
  );
}

/** A string constant that stands for a variable while the query is read; no text of a file holds its control character. */
const MARK = '\u0002';
const markerOf = (variable: string): string => `'${MARK}${variable}'`;

async function checkQuery(session: Session, text: string, probe: DesiredProbe, names: NameResolver): Promise<void> {
  const operators: { schema: string; name: string }[] = [];
  for (const foreign of await foreignNames('query', text)) {
    const { kind, schema, name } = foreign;
    if (kind === 'operator') operators.push({ schema, name });
    else if (names.extensionOf(kind, schema, name) === null) throw refused(`${kind} ${schema}.${name}`, probe);
  }
  const [call] = await unsafeCalls(session, await calledWithArguments(text));
  if (call !== undefined) throw refused(`function ${call}`, probe);
  const [operator] = await unsafeOperators(session, operators);
  if (operator !== undefined) throw refused(`operator ${operator}`, probe);
}

function refused(what: string, probe: DesiredProbe): TrueupError {
  const { file, line, column } = probe.source;
  return new TrueupError('FRAGMENT_REFUSED', `probe ${probe.name} may not use the ${what}`, {
    where: `${file}:${line}:${column}`,
    remedy: 'planning runs it on the server: use immutable functions of pg_catalog, and what declared extensions bring',
  });
}

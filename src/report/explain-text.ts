import type { ExplainedDatabase, ExplainedIndex, Explanation, Partition, ProbeResult } from '../explain/explanation.js';
import type { ProbePlan } from '../explain/plan-nodes.js';
import { size } from '../measures.js';
import { tokenize } from '../sql/lexer.js';
import { type ExplainNames, explainNames } from './explain-names.js';
import { inBlocks, paragraph, type TextOptions } from './layout.js';
import type { MemberNames } from './member-names.js';
import { targetLine } from './target-line.js';
import { visible } from './visible.js';
import { counted, listed, named, number } from './words.js';

/** How an explanation is shown. */
export interface ExplainTextOptions extends TextOptions {
  /** Leaves out what names and values hold of rows; null shows them, and the queries as they were planned. */
  readonly hide: MemberNames | null;
}

/** An explanation for people: each probe's verdict, what the planner took, and what to do. */
export function explainText(explanation: Explanation, options: ExplainTextOptions): string {
  const names = explainNames(options.hide);
  const blocks = [
    explanation.databases.flatMap((database) => targetLines(database, explanation, options)),
    ...explanation.results.map((result) => resultLines(result, explanation, names, options)),
    closingLines(explanation, options),
  ];
  return inBlocks(blocks);
}

function targetLines(database: ExplainedDatabase, explanation: Explanation, { width }: TextOptions): readonly string[] {
  const { tenants, schemas } = database;
  const chosen =
    tenants === null
      ? ''
      : tenants === 1
        ? ' (the only one)'
        : ` (the largest of ${number(tenants)}; --schema names others)`;
  return [
    ...paragraph(targetLine(database, explanation.databases.length > 1), width, 0, 2),
    ...paragraph(
      `${schemas.length === 1 ? 'Tenant' : 'Tenants'}: ${named(schemas, 10) || 'none'}${chosen}`,
      width,
      0,
      2,
    ),
  ];
}

const MARGIN = 6;

function resultLines(
  result: ProbeResult,
  explanation: Explanation,
  names: ExplainNames,
  options: ExplainTextOptions,
): readonly string[] {
  const { color, width } = options;
  const where = [...(explanation.databases.length > 1 ? [result.database] : []), result.schema].join('/');
  const title = `${result.probe} (${result.phase}) on ${where}.${result.table}: ${result.verdict}`;
  const mark = result.ok ? color.green('ok'.padEnd(MARGIN)) : color.red('FAIL'.padEnd(MARGIN));
  // The mark is measured without its colour: the first line is laid out with blanks in its place.
  const [head = '', ...tail] = paragraph(visible(title), width, MARGIN, 2);
  const lines = [
    `${mark}${color.bold(head.slice(MARGIN))}`,
    ...tail,
    ...paragraph(`${sentence(visible(names.message(result.reason)))}`, width, MARGIN, 2),
    ...detailsOf(result, names).flatMap(([label, text]) => paragraph(`${label}: ${text}`, width, MARGIN, 4)),
    ...(result.remedy === null ? [] : paragraph(`to do: ${visible(result.remedy)}`, width, MARGIN, 4)),
  ];
  if (options.hide !== null || result.query === null) return lines;
  return [...lines, ...paragraph(`query: ${visible(short(result.query))}`, width, MARGIN, 4)];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** A query vector has thousands of characters, and nobody reads them; `--json` has them all. */
const short = (query: string): string =>
  tokenize(query)
    .map(({ kind, text }) => {
      if (kind === 'space') return ' ';
      return kind === 'string' && text.length > 60 ? `${text.slice(0, 40)}…'` : text;
    })
    .join('');

function detailsOf(result: ProbeResult, names: ExplainNames): readonly (readonly [string, string])[] {
  const { partition, used, expected, plan, stale, without, settings, unknownSettings } = result;
  const details: (readonly [string, string])[] = [];
  if (partition !== null) details.push(['partition', partitionWords(partition, names)]);
  if (used.length > 0) details.push([used.length === 1 ? 'index' : 'indexes', indexWords(used, names)]);
  if (expected !== null && (expected.found === null || used.every((index) => index.oid !== expected.found?.oid))) {
    const found = expected.found === null ? '' : ` (oid ${expected.found.oid})`;
    details.push(['expected', `${visible(names.index(expected.name))}${found}, ${STATES[expected.state]}`]);
  }
  if (plan !== null) details.push(['plan', planWords(plan)]);
  const set = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  if (set.length > 0) details.push(['settings', visible(set.join(', '))]);
  if (unknownSettings.length > 0)
    details.push(['note', `the server does not know ${visible(listed(unknownSettings))}: of no effect`]);
  if (without !== null) {
    const gone = `without ${visible(listed(without.indexes.map((index) => names.index(index.name))))}`;
    if (without.kind === 'refused') details.push([gone, `not planned: ${visible(names.message(without.reason))}`]);
    else {
      const by = without.used.length === 0 ? '' : ` by ${indexWords(without.used, names)}`;
      details.push([
        gone,
        `${without.verdict}${by}${without.ok ? '' : ', which would fail too'}; ${planWords(without.plan)}`,
      ]);
    }
  } else if (stale.length > 0) {
    const one = stale.length === 1;
    details.push([
      'note',
      `${indexWords(stale, names)} ${one ? 'stands' : 'stand'} over the whole table, and no file declares ${one ? 'it' : 'them'}; --hypothetical plans without ${one ? 'it' : 'them'}`,
    ]);
  }
  return details;
}

const STATES = {
  valid: 'valid, but not taken',
  invalid: 'INVALID',
  missing: 'missing',
  other: 'another one than declared',
} as const;

function partitionWords(partition: Partition, names: ExplainNames): string {
  const { counted: rows, capped } = partition.rows;
  const size = capped ? `more than ${counted(rows - 1, 'row')}` : counted(rows, 'row');
  const values = Object.entries(names.values(partition)).map(([name, value]) => `${name} = ${value}`);
  if (values.length === 0) return `the whole table, ${size}`;
  return visible(`${values.join(', ')} (${partition.chosen ? 'as asked for' : 'the largest'}; ${size})`);
}

const indexWords = (indexes: readonly ExplainedIndex[], names: ExplainNames): string =>
  indexes
    .map(({ name, method, bytes, oid }) => visible(`${names.index(name)} (${method}, ${size(bytes)}, oid ${oid})`))
    .join(', ');

function planWords({ nodes, cost, rows, executed }: ProbePlan): string {
  const kinds = nodes.map((node) => node.kind).join(' > ');
  const came =
    executed === null ? '' : `; executed: ${counted(executed.rows, 'row')} in ${executed.milliseconds.toFixed(1)} ms`;
  return `${kinds}; cost ${number(Math.round(cost))}, ${counted(rows, 'row')} expected${came}`;
}

function closingLines({ results }: Explanation, { color, width }: TextOptions): readonly string[] {
  const failed = results.filter((result) => !result.ok).length;
  const verdict =
    results.length === 0
      ? 'No tenant, so nothing was explained.'
      : `Explain: ${counted(results.length, 'probe')}, ${number(results.length - failed)} ok, ${number(failed)} failed.`;
  return paragraph(verdict, width, 0).map((line) => (failed === 0 ? color.green(line) : color.bold(line)));
}

import { baseComments, baseHead } from './base-comments.js';
import { declares, tablesDocument } from './compose.js';
import type { FoundFamily } from './family.js';
import type { Found } from './find-families.js';
import { fleetFile } from './fleet-file.js';
import type { Inspection, InspectRequest } from './inspection.js';
import { type Item, itemInWords, itemKey, type Note } from './items.js';
import { type LeftOut, withDependents } from './left-out.js';
import { asLeftOut, isTooLong, plainNote, sequenceNotes } from './notes.js';
import type { TenantFacts } from './read-tenant.js';
import type { Sketch } from './sketch.js';
import type { Stamp } from './stamp.js';
import { wrapped, yamlText } from './yaml-text.js';

/** All that the files of a tenant are composed from. */
export interface Draft {
  readonly request: InspectRequest;
  readonly tenant: TenantFacts;
  readonly sketch: Sketch;
  readonly stamp: Stamp | null;
  readonly stampNotes: readonly Note[];
  readonly found: Found;
}

/** The files of what is not left out, with their remarks. Pure: made anew when more is left out. */
export function compose(draft: Draft, refused: LeftOut): Inspection {
  const { tenant, sketch, stamp, request } = draft;
  const out = withDependents(sketch, refused);
  const soundTable = (table: string) => !out.has(itemKey({ kind: 'table', table, name: table }));
  const families = draft.found.families.filter(
    (family) =>
      !out.has(itemKey(familyItem(family))) &&
      soundTable(family.source) &&
      family.members.every((name) => !out.has(itemKey({ kind: 'index', table: family.table, name }))),
  );
  const listed = [
    ...draft.found.plain,
    ...draft.found.families
      .filter((family) => !families.includes(family))
      .map(({ table, members }) => ({ table, indexes: members })),
  ];
  const document = tablesDocument(
    sketch,
    new Map([...out, ...listed.filter(isTooLong).flatMap(asLeftOut)]),
    families,
    tenant.extensions,
    (view) => tenant.views.get(view)?.populated ?? true,
  );
  const notes = [
    ...tenant.notes,
    ...draft.stampNotes,
    ...[...out.values()].map(({ item, why }): Note => ({ what: itemInWords(item), why, table: item.table })),
    ...listed.map(plainNote),
    ...sequenceNotes(tenant, sketch),
  ].map((note) => (note.table === null || declares(document, note.table) ? note : { ...note, table: null }));
  const named = stamp !== null && declares(document, stamp.table) ? stamp : null;
  const fleet = fleetFile(tenant, new Set(Object.keys(document.tables ?? {})), named);
  const schemas = request.schemaDirectory ?? '../node_modules/trueup/src/desired-state/schema';
  const head = (file: string) => `yaml-language-server: $schema=${schemas}/${file}.schema.json`;
  const text = (lines: readonly string[]) => lines.flatMap((line) => (line === '' ? [''] : wrapped(line)));
  return {
    schema: tenant.schema,
    files: [
      {
        path: 'fleet.yaml',
        text: yamlText(
          fleet.document,
          [head('fleet'), ...text(['', `The fleet of the tenant "${tenant.schema}": written by trueup inspect.`])],
          [
            { path: ['tenants', Object.keys(fleet.document.tenants)[0] ?? ''], text: fleet.tenantsComment },
            ...(named === null ? [] : [{ path: ['release'], text: RELEASE }]),
            { path: ['phases'], text: PHASES },
          ],
          ([top, ...rest]) => top === 'release' || (top === 'phases' && rest.length === 1),
        ),
      },
      {
        path: 'base.yaml',
        text: yamlText(
          document,
          [head('tables'), ...text(baseHead(tenant.schema, notes))],
          baseComments(document, notes, families),
          (path) => path.length > 3 || path[2] === 'primary_key' || (path[0] === 'extensions' && path.length === 2),
        ),
      },
    ],
    notes,
    families: families.map(({ table, document: { name }, members }) => ({ table, name, members: members.length })),
    values: [
      ...(named === null ? [] : [`fleet.yaml, release.accepts: the value of ${named.table}.${named.column}`]),
      ...families
        .filter((family) => family.listed.length > 0)
        .map(({ table, document: { name } }) => `base.yaml, ${table}, ${name}: constants of its predicates`),
    ],
  };
}

const RELEASE =
  'The release that base.yaml describes, as this tenant is stamped. A tenant at another one is left to the application’s own migrations.';

const PHASES = `One phase holds everything, and owns nothing: an index that no file declares is left alone.
To split off what depends on an extension, such as the indexes of a vector search, move its columns and indexes to a
file vector/NAME.yaml (begin it with "backend: NAME") and add
  - name: vector
    extension: true
    backends: vector/
    select: { env: APP_VECTOR_BACKEND, default: NAME }
    owns: { columns: [embedding], methods: [hnsw, ivfflat] }
Whatever index of these methods stands on these columns is then dropped unless a file declares it.`;

/** A family as an item. */
export const familyItem = (family: FoundFamily): Item => ({
  kind: 'family',
  table: family.table,
  name: family.document.name,
});

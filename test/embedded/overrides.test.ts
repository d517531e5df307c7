import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { planDatabase } from '../../src/plan/plan-database.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { loadShipped, openFleet } from '../support/fleet.js';

it('leaves out a tenant that is dropped between being found and being planned, and plans the others', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-overrides-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(
    join(directory, 'fleet.yaml'),
    `version: 1
tenants: { having_tables: [items] }
phases: [{ name: base, file: base.yaml }]
parameters: { width: { type: integer, default: 8 } }
overrides: [{ schemas: [narrow], parameters: { width: 5 } }]
`,
  );
  writeFileSync(join(directory, 'base.yaml'), 'tables: { items: { columns: { code: "varchar(${width})" } } }\n');
  const fleet = await openFleet(null);
  onTestFinished(() => fleet.close());
  await fleet.provision(['dropped', 'narrow', 'wide'], { directory });

  const session = await fleet.database.connect();
  onTestFinished(() => session.close());
  const planned = await planDatabase(fleet.database, session, {
    desired: await loadShipped({ directory }),
    reload: async (load) => {
      await session.query('DROP SCHEMA dropped CASCADE');
      return loadShipped({ directory, load });
    },
    selection: { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false },
    allow: new Set(),
    progress: NO_PROGRESS,
  });
  expect(planned.tenants.map(({ schema, changes }) => [schema, changes.length])).toEqual([
    ['narrow', 0],
    ['wide', 0],
  ]);
});

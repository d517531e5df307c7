import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/plan/fleet-plan.js';
import { mergeParts } from '../../src/plan/merge-parts.js';
import { databasePlan, tenant } from '../support/plan-fixture.js';

const note = (schema: string | null, message = 'its stamp cannot be read'): Diagnostic => ({
  severity: 'note',
  code: 'LOOKS_LIKE_A_TENANT',
  message,
  remedy: null,
  database: 'main',
  schema,
});

describe('a plan whose tenants were planned in parts', () => {
  it('says once what several parts say, first what was found before them', () => {
    const parts = [
      databasePlan({ diagnostics: [note(null)] }),
      databasePlan({ diagnostics: [note(null), note(null, 'b')] }),
    ];
    const { diagnostics } = mergeParts(parts, [note(null, 'a'), note(null, 'b')]);
    expect(diagnostics.map(({ message }) => message)).toEqual(['a', 'b', 'its stamp cannot be read']);
  });

  it('says of two tenants what reads alike, of one part and of two', () => {
    const parts = [
      databasePlan({ diagnostics: [note('t1'), note('t2')] }),
      databasePlan({ diagnostics: [note('t3')] }),
    ];
    expect(mergeParts(parts, []).diagnostics.map(({ schema }) => schema)).toEqual(['t1', 't2', 't3']);
  });

  it('holds the tenants of all by name, and counts what is unmanaged only where every part did', () => {
    const counts = { tables: 1, columns: 2, indexes: 3 };
    const first = databasePlan({ tenants: [tenant('a'), tenant('c')], shapes: 2, unmanaged: counts });
    const second = databasePlan({ tenants: [tenant('b')], unmanaged: { tables: 10, columns: 20, indexes: 30 } });
    const both = mergeParts([first, second], []);
    expect(both.tenants.map(({ schema }) => schema)).toEqual(['a', 'b', 'c']);
    expect(both).toMatchObject({ shapes: 3, unmanaged: { tables: 11, columns: 22, indexes: 33 } });
    expect(mergeParts([first, databasePlan()], []).unmanaged).toBeNull();
  });
});

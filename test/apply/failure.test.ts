import { expect, it } from 'vitest';
import { failureOf } from '../../src/apply/failure.js';
import { DatabaseError } from '../../src/database/session.js';

it.each([
  ['42P07', 'relation "idx_items_shop" already exists'],
  ['42710', 'type "items" already exists'],
])('%s, a name that was taken since the plan, says that another plan shows by what', (code, message) => {
  expect(failureOf(new DatabaseError(message, code))).toEqual({
    code: 'TENANT_FAILED',
    message,
    sqlstate: code,
    remedy: 'something has taken the name since the plan was made: plan again, which says what, then make it free',
  });
});

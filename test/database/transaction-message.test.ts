import { expect, it } from 'vitest';
import { TransactionMessage } from '../../src/database/transaction-message.js';

it('counts a transaction as made once its last statement is through, and not before', () => {
  const message = new TransactionMessage([
    ['BEGIN', 'SELECT 1', 'COMMIT'],
    ['BEGIN', 'COMMIT'],
  ]);
  const made = [message.made];
  for (let statement = 0; statement < 5; statement += 1) {
    message.handleCommandComplete();
    made.push(message.made);
  }
  expect(made).toEqual([0, 0, 0, 1, 1, 2]);
});

import { expect, it } from 'vitest';
import { Limiter } from '../../src/database/limiter.js';

it('R2: gives no more places than there are, first come first served', async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  const first = await limiter.take();
  await limiter.take();
  const waiting = [3, 4].map(async (number) => {
    const give = await limiter.take();
    order.push(number);
    return give;
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  first();
  first();
  const give = await waiting[0];
  expect(order).toEqual([3]);
  give?.();
  await waiting[1];
  expect(order).toEqual([3, 4]);
});

it('refuses who waits and who comes once it is closed', async () => {
  const limiter = new Limiter(1);
  await limiter.take();
  const waiting = expect(limiter.take()).rejects.toThrow('closed');
  limiter.close(new Error('closed'));
  await waiting;
  await expect(limiter.take()).rejects.toThrow('closed');
});

import { DatabaseError } from '../database/session.js';

/** How often a snapshot that an object vanished under is read again. */
const ATTEMPTS = 3;

/** Reads again what an object vanished under. */
export async function againWhenPassing<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      // XX000: "cache lookup failed": something vanished between the snapshot and the system cache. 40001: a standby.
      const passing = error instanceof DatabaseError && ['XX000', '40001', '42P01'].includes(error.code);
      if (!passing || attempt === ATTEMPTS) throw error;
    }
  }
}

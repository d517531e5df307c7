import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes a file whole or not at all: nobody reads half of it, and an old one stays when the disk is full.
 * @param text in pieces where it is longer than a string may be
 * @param mode of a new file
 */
export async function writeWhole(path: string, text: string | Iterable<string>, mode: number): Promise<void> {
  // Renaming onto a link would replace the link.
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.trueup-${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      for (const piece of typeof text === 'string' ? [text] : text) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

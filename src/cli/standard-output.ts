let written = false;

/** Whether this process has printed its JSON document. */
export const documentWritten = (): boolean => written;

/** Prints the one JSON document of a run. A second one would make standard output unreadable to programs. */
export function writeDocument(value: unknown): void {
  if (written) throw new Error('a run prints one JSON document');
  written = true;
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Waits until what was written has left the process. */
export async function drain(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => (stream.writable ? stream.write('', () => resolve()) : resolve())),
    ),
  );
}

/** Whether the user wants stack traces. */
const debug = Boolean(process.env.DEBUG);
// oclif prints its whole command line under DEBUG=*, a password in --database-url included, and looks when it is loaded.
delete process.env.DEBUG;

/** What the executables in bin call: everything else is loaded after this module. */
export async function start(importMetaUrl: string, options: { readonly development?: boolean } = {}): Promise<void> {
  const { run } = await import('./main.js');
  await run(importMetaUrl, { ...options, debug });
}

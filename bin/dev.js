#!/usr/bin/env -S node --import tsx
process.env.TRUEUP_DEV = '1';
const { run } = await import('../src/cli/main.ts');

await run(import.meta.url, { development: true });

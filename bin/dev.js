#!/usr/bin/env node
import { register } from 'tsx/esm/api';

// Not `node --import tsx`, which would look for tsx from the working directory.
register();
const { run } = await import('../src/cli/main.ts');
await run(import.meta.url, { development: true });

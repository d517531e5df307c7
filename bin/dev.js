#!/usr/bin/env node
import { register } from 'tsx/esm/api';

// Not `node --import tsx`, which would look for tsx from the working directory.
register();
const { start } = await import('../src/start/start.ts');
await start(import.meta.url, { development: true });

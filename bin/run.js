#!/usr/bin/env node
import { loadProgram } from '../dist/cli/launch.js';

await loadProgram().program.start(import.meta.url);

#!/usr/bin/env node
import { loadProgram } from '../dist/start/launch.js';

await loadProgram().program.start(import.meta.url);

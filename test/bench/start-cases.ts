import type { Case } from './measure.js';
import { runNode, runTrueup } from './run-process.js';
import { SHIPPED } from './shipped.js';

/** What a command costs before it asks a server anything, beside Node alone. */
export const startCases: readonly Case[] = [
  { id: 'help', label: 'trueup --help', tenants: 0, run: () => runTrueup(['--help']) },
  {
    id: 'validate',
    label: 'trueup validate',
    tenants: 0,
    run: () => runTrueup(['validate', '--desired-state', SHIPPED]),
  },
  { id: 'node', label: 'node -e 0', tenants: 0, run: () => runNode(['-e', '0']) },
];

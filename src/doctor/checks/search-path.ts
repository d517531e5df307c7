import { searchPathDiagnostics } from '../../plan/search-path.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** Schemas that a backend needs on the search_path of the application's sessions: as plan says it. */
export const searchPath = check({
  name: 'search-path',
  read: ({ session, desired, database }) => searchPathDiagnostics(session, desired.phases, database),
  judge: (missing) =>
    missing.length === 0
      ? [finding('search-path', 'ok', { what: 'what the backends need of it is there' })]
      : missing.map(({ message, remedy }) => {
          const statement = /ALTER DATABASE .*$/u.exec(remedy ?? '')?.[0];
          return finding('search-path', 'warning', {
            what: message,
            why: 'without it queries fail, or take no index; trueup itself sets none',
            remedy: 'see that the application sets it, or:',
            statements: statement === undefined ? [] : [statement],
          });
        }),
});

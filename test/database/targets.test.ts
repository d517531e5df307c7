import { describe, expect, it } from 'vitest';
import { resolveTargets, type TargetsOptions } from '../../src/database/target.js';

const targets = (options: Partial<TargetsOptions>) =>
  resolveTargets({ databaseUrls: [], variables: [], listed: [], environment: { HOME: '/nowhere' }, ...options }).map(
    ({ id, target }) => [id, target.description.host, target.description.source],
  );
const listed = [
  { id: 'eu', variables: ['EU_URL'] },
  { id: 'us', variables: ['US_ADMIN_URL', 'US_URL'] },
];
const environment = { HOME: '/nowhere', EU_URL: 'postgresql://eu.example/a', US_URL: 'postgresql://us.example/a' };

describe('the targets', () => {
  it('are one, called main, when one connection string is given', () => {
    expect(targets({ databaseUrls: ['postgresql://h/d?options=-c%20a%3Db'] })).toEqual([
      ['main', 'h', '--database-url'],
    ]);
  });

  it('are those that --database-url names, each by its id', () => {
    expect(targets({ databaseUrls: ['eu=postgresql://a/d', 'us-1=postgres+asyncpg://b/d'] })).toEqual([
      ['eu', 'a', '--database-url eu'],
      ['us-1', 'b', '--database-url us-1'],
    ]);
    expect(targets({ databaseUrls: ['eu=postgresql://a/d'] })).toEqual([['eu', 'a', '--database-url eu']]);
  });

  it('are those that fleet.yaml lists, from the first variable that is set', () => {
    expect(targets({ listed, environment })).toEqual([
      ['eu', 'eu.example', 'EU_URL'],
      ['us', 'us.example', 'US_URL'],
    ]);
  });

  it('are the one that a flag or a variable of trueup’s own names, whatever fleet.yaml lists', () => {
    expect(targets({ listed, environment, databaseUrls: ['postgresql://h/d'] })).toEqual([
      ['main', 'h', '--database-url'],
    ]);
    const own = { ...environment, TRUEUP_DATABASE_URL: 'postgresql://own/d' };
    expect(targets({ listed, environment: own })).toEqual([['main', 'own', 'TRUEUP_DATABASE_URL']]);
  });

  it('must each have a connection: a listed one without is named, with its variables', () => {
    const only = { HOME: '/nowhere', EU_URL: 'postgresql://eu.example/a' };
    expect(() => targets({ listed, environment: only })).toThrow(
      'no variable names the connection of us (US_ADMIN_URL or US_URL)',
    );
  });

  it.each([
    [['postgresql://a/d', 'postgresql://b/d']],
    [['eu=postgresql://a/d', 'postgresql://b/d']],
    [['eu=postgresql://a/d', 'eu=postgresql://b/d']],
    [['eu 1=postgresql://a/d', 'us=postgresql://b/d']],
  ])('need a name each: %j', (databaseUrls) => {
    let error: unknown;
    try {
      targets({ databaseUrls });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      message: 'several databases need a name each',
      options: { remedy: expect.stringMatching(/each name once, of letters/u) },
    });
  });
});

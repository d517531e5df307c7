import { expect, it } from 'vitest';
import { FactSheet, type Question } from '../../src/diff/facts.js';
import { PredicateMatcher } from '../../src/diff/predicate-matcher.js';
import { table } from '../support/diff-fixture.js';

const TABLE = table();

/** Compares a thousand members' predicates until no question is open; gives the verdicts and what was asked. */
function matchAll(actual: (member: number) => string, judge: (question: Question) => boolean) {
  const matcher = new PredicateMatcher();
  const answers = new Map<string, boolean>();
  const verdicts = new Map<number, boolean>();
  const asked = new Set<string>();
  for (let pass = 0; verdicts.size < 1000 && pass < 20; pass += 1) {
    const open = new Map<string, Question>();
    for (let member = 0; member < 1000; member += 1) {
      if (verdicts.has(member)) continue;
      const sheet = new FactSheet((key) => answers.get(key));
      const same = matcher.same(`shop = 'shop ${member}'`, actual(member), TABLE, sheet);
      if (sheet.open.size === 0) verdicts.set(member, same);
      for (const [key, question] of sheet.open) open.set(key, question);
    }
    for (const [key, question] of open) {
      asked.add(key);
      answers.set(key, judge(question));
    }
  }
  return { verdicts, asked };
}

it('asks for one member’s predicate, and knows all that differ from it in their values alone', () => {
  const { verdicts, asked } = matchAll(
    (member) => `(shop = 'shop ${member}'::text)`,
    () => true,
  );
  expect(asked.size).toBe(1);
  expect([...verdicts.values()]).toEqual(Array.from({ length: 1000 }, () => true));
});

it('tells the one that holds another member’s value', () => {
  const { verdicts } = matchAll(
    (member) => `(shop = 'shop ${member === 500 ? 7 : member}'::text)`,
    () => true,
  );
  expect([...verdicts].filter(([, same]) => !same)).toEqual([[500, false]]);
});

it('learns from a sound member behind broken ones', () => {
  const { verdicts, asked } = matchAll(
    (member) => `(shop = 'shop ${member < 3 ? 'none' : member}'::text)`,
    (question) => question.kind === 'expression' && !question.actual.includes('none'),
  );
  expect([...verdicts].filter(([, same]) => !same).map(([member]) => member)).toEqual([0, 1, 2]);
  expect(asked.size).toBeLessThan(10);
});

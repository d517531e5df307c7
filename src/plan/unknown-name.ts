/** What to do about a name in the files that stands for nothing in the database: apply may meet one that no plan asked about. */
export const UNKNOWN_NAME =
  'correct the name in the files, or make what it names first: trueup makes no types, functions and sequences; where an extension brings it, declare the extension; where the schema holds it, write ${schema}. before it';

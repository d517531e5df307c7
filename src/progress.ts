/** Who is told how far long work has come; knows nothing of terminals. */
export interface Progress {
  /** A new stretch of work. Without a total its end is not known. Ends the stretch before. */
  phase(label: string, total?: number): void;
  /** So many more units of the stretch are done; 1 unless given. */
  advance(count?: number): void;
  /** What of the stretch is being done just now; `''`: nothing worth a word. */
  note?(text: string): void;
  /** The work has ended, well or badly. */
  done(): void;
}

/** Tells nobody. */
export const NO_PROGRESS: Progress = { phase() {}, advance() {}, done() {} };

/** The columns of a report: as many as the terminal has; 120 where it goes to none, or to one that does not say its own (0). */
export const widthOf = (stream: { readonly columns?: number }): number => stream.columns || 120;

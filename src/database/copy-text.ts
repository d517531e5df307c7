const ESCAPED: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The columns of one line of COPY's text format. The manual: COPY, File Formats. */
export function copiedFields(line: string): readonly (string | null)[] {
  const fields = (line.endsWith('\n') ? line.slice(0, -1) : line).split('\t');
  return fields.map((field) => {
    if (field === '\\N') return null;
    if (!field.includes('\\')) return field;
    // The server escapes by one character: octal and hexadecimal forms are for input alone.
    return field.replace(/\\(.)/gsu, (_, character: string) => ESCAPED[character] ?? character);
  });
}

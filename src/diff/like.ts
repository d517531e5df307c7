/** LIKE with backslash as its escape, as PostgreSQL reads it. */
export function matchesLike(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\(.)|([%_])|([\s\S])/gu, (_, escaped, wild, other) =>
    wild === '%'
      ? '[\\s\\S]*'
      : wild === '_'
        ? '[\\s\\S]'
        : (escaped ?? other).replaceAll(/[\\^$.|?*+()[\]{}]/gu, '\\$&'),
  );
  return new RegExp(`^${source}$`, 'u').test(text);
}

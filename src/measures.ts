/** `3.4 MB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let left = bytes;
  let unit = 0;
  for (; left >= 1024 && unit < units.length - 1; unit += 1) left /= 1024;
  return `${unit === 0 ? left : left.toFixed(1)} ${units[unit]}`;
}

/** `40 s`, `12 min`, `3 h`, `5 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

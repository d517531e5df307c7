// Loaded into a measured process: when it ends, writes to file descriptor 3 its peak of resident memory, in bytes, and when the
// marks of its timeline were set, in milliseconds.
const { readFileSync, writeSync } = require('node:fs');

process.on('exit', () => {
  const marks = performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime]);
  writeSync(3, JSON.stringify({ peakMemory: peak(), marks }));
});

function peak() {
  try {
    // Not resourceUsage(), which on Linux starts from what the starting process had.
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match) return Number(match[1]) * 1024;
  } catch {
    // No such file system: the other way.
  }
  return process.resourceUsage().maxRSS * 1024;
}

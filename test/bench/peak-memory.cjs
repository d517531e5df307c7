// Loaded into a measured process: writes its peak of resident memory, in bytes, to file descriptor 3 when it ends.
const { readFileSync, writeSync } = require('node:fs');

process.on('exit', () => {
  writeSync(3, String(peak()));
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

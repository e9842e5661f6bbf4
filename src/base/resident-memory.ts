/**
 * Resident memory of this process in bytes. On Linux the system tells it in a file, and a process that has no descriptor left
 * cannot open it: then what was told last, or 0, since whoever asks once a second must not throw.
 *
 * @see deps/uv/src/unix/linux.c, uv_resident_set_memory
 */
export function residentMemory(): () => number {
  let last = 0
  return () => {
    try {
      last = process.memoryUsage.rss()
    } catch {
      // The descriptors will be free again.
    }
    return last
  }
}

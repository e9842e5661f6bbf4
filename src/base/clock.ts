/**
 * Milliseconds of the monotonic clock, for differences only. As `performance.now()` with another zero: that one
 * loads `node:perf_hooks`, for which the first workers would have to wait.
 */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

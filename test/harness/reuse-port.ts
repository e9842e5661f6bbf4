/** Whether `--balance reuseport` is possible on this Node: 22.12 or later, Linux. */
export const hasReusePort: boolean = process.platform === 'linux' && isFrom(22, 12)

function isFrom(major: number, minor: number): boolean {
  const [nodeMajor = 0, nodeMinor = 0] = process.versions.node.split('.').map(Number)
  return nodeMajor > major || (nodeMajor === major && nodeMinor >= minor)
}

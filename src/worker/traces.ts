/** What keeps the app's view of its own process as it is under plain `node`. */

/** Takes our arguments out of what forks of the app would inherit. Ours are the first and the last of their kind. */
export function hidePreload(): void {
  const { execArgv } = process
  const at = execArgv.findIndex((argument, index) => argument === '--require' && isPreload(execArgv[index + 1]))
  if (at === -1) return
  execArgv.splice(at, 2)
  if (execArgv.at(-1) === '--disable-sigusr1') execArgv.pop()
  if (execArgv.at(-1) === '--trace-sigint') execArgv.pop()
}

/** Keeps SIGUSR1 from opening the inspector, where no argument does. A handler of the app's own works as ever. */
export function keepInspectorShut(): void {
  const settled = process.execArgv.some((argument) => argument === '--disable-sigusr1' || argument.startsWith('--inspect'))
  if (!settled) process.on('SIGUSR1', () => {})
}

function isPreload(path: string | undefined): boolean {
  return path !== undefined && /[\\/]preload\.cjs$/.test(path) && path.startsWith(__dirname)
}

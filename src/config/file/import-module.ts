/**
 * Node's own `import()`. A file by itself, because the command runs from the code cache, in which there is none.
 *
 * @param url of a file
 */
export async function importModule(url: string): Promise<unknown> {
  return import(url)
}

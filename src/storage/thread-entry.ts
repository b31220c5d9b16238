/** Where a thread's entry point lies: beside its starter, as `.ts` in the sources and as `.js` in the npm package. */

/** @param starter `import.meta.url` of the file that starts the thread  @param entry its path without extension: `./sqlite-writer-thread` */
export function threadEntry(starter: string, entry: string): URL {
  const extension = starter.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`${entry}${extension}`, starter);
}

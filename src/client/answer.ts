/** Reads what a server answered: it may be another one than expected. */

/** @param path names of nested fields. @throws TypeError naming the field that is missing */
export function textIn(answer: unknown, ...path: readonly string[]): string {
  let value = answer;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new TypeError(`the server's answer has no ${path.join('.')}: is it an MLflow server?`);
}

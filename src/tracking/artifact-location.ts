/** Locations of artifacts that this server keeps itself. */

/** The key below this server's artifacts; undefined for a location that only clients can reach. */
export function keyOfLocation(location: string): string | undefined {
  const match = /^mlflow-artifacts:(?:\/\/[^/]*)?\/?(.*)$/.exec(location);
  return match?.[1]
    ?.split('/')
    .filter((segment) => segment !== '')
    .join('/');
}

/** Where a file goes on the server's artifact route. @param artifactUri `mlflow-artifacts:/1/<run>/artifacts`, with or without a host */
export function uploadPath(artifactUri: string, ...parts: readonly string[]): string {
  const root = artifactUri.match(/^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*?)\/*$/)?.[1];
  if (root === undefined) {
    throw new Error(`artifacts lie at ${artifactUri}: this client uploads through the server only (mlflow-artifacts:)`);
  }
  return [root, ...parts].filter((part) => part !== '').join('/');
}

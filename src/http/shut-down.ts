/** The way out: nothing that was begun is lost, and nothing keeps a finished process alive. */
import type { FastifyInstance } from 'fastify';

const defaultDeadlineMs = 10_000;

/**
 * Refuses new connections, ends live streams, lets every request that was begun get its answer, then closes what is given.
 * @returns the number of connections that had to be cut at the deadline
 */
export async function shutDown(
  app: FastifyInstance,
  rest: AsyncDisposable,
  { deadlineMs = defaultDeadlineMs }: { readonly deadlineMs?: number } = {},
): Promise<number> {
  let cut = 0;
  const deadline = setTimeout(() => {
    app.server.getConnections((_error, count) => {
      cut = count;
      app.server.closeAllConnections();
    });
  }, deadlineMs);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
    await rest[Symbol.asyncDispose]();
  }
  return cut;
}

/** `rondo up`: the server. */

import type { DefineCommand } from './command.ts';
import { linkProject, type ProjectFolder } from './project.ts';

export const define: DefineCommand = (command, { output, cwd, signal, startServer, startOptions, version }) => {
  command
    .option('--host <address>', 'where to listen; beyond loopback an administrator is needed (127.0.0.1)')
    .option('--port <port>', 'never another one in its place; 0 takes any free port (5000)')
    .option(
      '--default-artifact-root <uri>',
      'where new experiments keep artifacts: here, or where clients write themselves (mlflow-artifacts:/)',
    )
    .option(
      '--artifacts-destination <uri>',
      'a folder or s3://bucket/prefix that has the files of mlflow-artifacts:/ under their own names',
    )
    .option('--static-prefix <path>', 'the path under which a proxy shows this server')
    .option('--allowed-hosts <hosts>', 'further names of this server, with * and ?, separated by commas')
    .option('--cors-allowed-origins <origins>', 'further origins whose pages may call this server')
    .option('--backend-store-uri <uri>', "MLflow's option: refused, with the command that brings over what is there")
    .addHelpText(
      'after',
      '\nEnvironment: DATABASE_URL (PostgreSQL instead of SQLite), RONDO_ADMIN_PASSWORD (makes the user admin at the first start),\n' +
        'RONDO_DATA, RONDO_HOST, RONDO_PORT, RONDO_LOG (silent, error, warn, info, debug); for buckets AWS_ACCESS_KEY_ID and whatever\n' +
        'else Amazon’s tools read, MLFLOW_S3_ENDPOINT_URL or AWS_ENDPOINT_URL_S3 for stores that are not Amazon’s.',
    )
    .action(async (flags: Record<string, string>) => {
      const options = startOptions(flags);
      const { findProject } = await import('./project.ts');
      const project = await findProject(cwd); // first: a mistake in it is told before anything is opened
      await using server = await startServer(flags, options);
      if (project) await link(server, project);
      const readyMs = Math.round(performance.now());
      const result = {
        url: server.url,
        port: server.port,
        pid: process.pid,
        dataFolder: options.dataFolder,
        version,
        readyMs,
        ...(project && { project: project.name }),
      };
      output.line(
        result,
        ({ url }) =>
          `Rondo ${version} serves at ${output.style('bold', url)}  (${options.dataFolder}, ready in ${readyMs} ms)`,
      );
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      output.hint('Closing.');
    });

  async function link({ url, token }: { url: string; token: string }, project: ProjectFolder): Promise<void> {
    const { findServer } = await import('./api-client.ts');
    const openInside = () => Promise.reject(new Error('a server with an address is not opened inside'));
    const api = await findServer({ serverUrl: url, token, dataFolder: '', openInside });
    await linkProject(api, project);
  }
};

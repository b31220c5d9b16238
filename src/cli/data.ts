/** `rondo data`: versions of named data. */
import { type ApiClient, path } from './api-client.ts';
import { type CommandContext, type DefineCommand, duration, wholeNumber } from './command.ts';
import { linkedProject, projectName } from './project.ts';
import { table, timeText } from './table.ts';
import { watchOperation } from './watch-operation.ts';

type CheckResult = { name?: string; severity: string; verdict: { outcome: string; reason?: string } };
type AddOutcome = {
  outcome: 'added' | 'unchanged' | 'refused';
  version?: number;
  root?: string;
  newBytes?: number;
  checks: CheckResult[];
};
type Version = {
  name: string;
  version: number;
  root: string;
  files: number;
  bytes: number;
  rows?: number;
  createdAt: number;
  checks: CheckResult[];
  columns?: { name: string; type: string }[];
};
type ProjectOption = { project?: string };

export const define: DefineCommand = (command, context) => {
  const { api, output, signal, cwd } = context;
  const withProject = (name: string, about: string) =>
    command.command(name).description(about).option('--project <name>', "the project; this folder's without it");

  withProject('add', 'read the source, check it, and keep it as a version')
    .argument('<dataset>')
    .argument('[source]', 'file, folder, glob or URL; from rondo.yaml without it')
    .option('--timeout <duration>', 'wait at most so long; it goes on', duration)
    .action(async (name: string, source: string | undefined, options: ProjectOption & { timeout?: number }) => {
      tell(name, await submit<AddOutcome>('versions', name, source, options));
    });

  withProject('check', 'check the source against the checks of rondo.yaml; a version is kept when they pass')
    .argument('<dataset>')
    .option('--timeout <duration>', 'wait at most so long; it goes on', duration)
    .action(async (name: string, options: ProjectOption & { timeout?: number }) => {
      const outcome = await submit<AddOutcome>('versions', name, undefined, options);
      output.result(outcome, ({ checks }) =>
        checks.length === 0 ? 'No checks: `rondo data infer` suggests some.' : checkTable(checks),
      );
      context.setExitCode(exitOf(outcome));
    });

  withProject('infer', 'suggest checks from the data, as a block for rondo.yaml')
    .argument('<dataset>')
    .argument('[source]')
    .option('--timeout <duration>', 'wait at most so long; it goes on', duration)
    .action(async (name: string, source: string | undefined, options: ProjectOption & { timeout?: number }) => {
      output.result(
        await submit<{ yaml?: string; checks: unknown[] }>('infer', name, source, options),
        ({ yaml, checks }) => yaml ?? JSON.stringify(checks, null, 2),
      );
    });

  withProject('log', 'list versions, newest first; without a name, the datasets')
    .argument('[dataset]')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(async (name: string | undefined, options: ProjectOption & { limit: number }) => {
      const client = await api();
      const project = await projectName(cwd, options.project);
      if (name === undefined) {
        const answer = await client.call<{ items: { name: string }[] }>(
          'GET',
          path`/api/v1/projects/${project}/datasets`,
          { signal },
        );
        return output.result(answer, ({ items }) =>
          items.length === 0 ? 'No data yet: rondo data add <dataset>' : items.map((item) => item.name).join('\n'),
        );
      }
      const answer = await client.call<{ items: Version[] }>(
        'GET',
        path`/api/v1/projects/${project}/datasets/${name}/versions`,
        { query: { limit: options.limit }, signal },
      );
      output.result(answer, ({ items }) => versionTable(items));
    });

  withProject('show', 'show a version with its columns and checks')
    .argument('<dataset>', 'flights or flights@3; the newest without a number')
    .action(async (text: string, options: ProjectOption) => {
      const client = await api();
      const project = await projectName(cwd, options.project);
      const [name = text, number] = text.split('@');
      const version = number === undefined ? await newest(client, project, name) : Number(number.replace(/^v/, ''));
      const found = await client.call<Version>(
        'GET',
        path`/api/v1/projects/${project}/datasets/${name}/versions/${version}`,
        { signal },
      );
      output.result(found, showVersion);
    });

  async function submit<Result>(
    what: 'versions' | 'infer',
    name: string,
    source: string | undefined,
    options: ProjectOption & { timeout?: number },
  ): Promise<Result> {
    const client = await api({ create: true });
    const project = await linkedProject(client, cwd, options.project);
    const target = `${path`/api/v1/projects/${project}/datasets/${name}`}/${what}`;
    const body = source === undefined ? {} : { source };
    const { operation } = await client.call<{ operation: string }>('POST', target, { body, signal });
    return watchOperation<Result>({ api: client, output, signal, timeoutMs: options.timeout }, operation);
  }

  function tell(name: string, outcome: AddOutcome): void {
    output.result(outcome, ({ version, newBytes = 0, checks }) => {
      const failed = checks.filter(({ verdict }) => verdict.outcome === 'fail');
      const said = {
        added: `Added ${name}@${version} (${bytesText(newBytes)} new)`,
        unchanged: `Unchanged: ${name}@${version}`,
        refused: `Refused: ${failed.length} of ${checks.length} checks fail`,
      }[outcome.outcome];
      return failed.length === 0 ? said : `${said}\n\n${checkTable(failed)}`;
    });
    context.setExitCode(exitOf(outcome));
  }

  async function newest(client: ApiClient, project: string, name: string): Promise<number> {
    const { items } = await client.call<{ items: Version[] }>(
      'GET',
      path`/api/v1/projects/${project}/datasets/${name}/versions`,
      { query: { limit: 1 }, signal: (context satisfies CommandContext).signal },
    );
    return items[0]?.version ?? 1;
  }
};

/** Refused by its checks is "a gate says no". */
function exitOf({ outcome }: AddOutcome): number {
  return outcome === 'refused' ? 3 : 0;
}

function versionTable(versions: readonly Version[]): string {
  return table(versions, [
    { title: 'version', cell: ({ version }) => String(version), align: 'right' },
    { title: 'rows', cell: ({ rows }) => (rows === undefined ? '' : String(rows)), align: 'right' },
    { title: 'files', cell: ({ files }) => String(files), align: 'right' },
    { title: 'size', cell: ({ bytes }) => bytesText(bytes), align: 'right' },
    { title: 'created', cell: ({ createdAt }) => timeText(createdAt) },
    { title: 'root', cell: ({ root }) => root.slice(0, 12) },
  ]);
}

function showVersion(version: Version): string {
  const parts = [`${version.name}@${version.version}  ${version.root}`, '', versionTable([version])];
  if (version.columns?.length)
    parts.push(
      '',
      table(version.columns, [
        { title: 'column', cell: ({ name }) => name },
        { title: 'type', cell: ({ type }) => type },
      ]),
    );
  if (version.checks.length > 0) parts.push('', checkTable(version.checks));
  return parts.join('\n');
}

function checkTable(checks: readonly CheckResult[]): string {
  return table(checks, [
    { title: 'check', cell: ({ name = '' }) => name },
    { title: 'severity', cell: ({ severity }) => severity },
    { title: 'verdict', cell: ({ verdict }) => verdict.outcome },
    { title: 'because', cell: ({ verdict }) => verdict.reason ?? '' },
  ]);
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

/** `rondo data`: versions of named data. */
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import { type CommandContext, type DefineCommand, duration, wholeNumber } from './command.ts';
import { linkedProject, projectName } from './project.ts';
import { bytesText, shareText, table, timeText } from './table.ts';
import { watchOperation } from './watch-operation.ts';

type CheckResult = {
  name?: string;
  severity: string;
  verdict: { outcome: string; reason?: string };
  samples?: { row: number; file?: string; value?: unknown }[];
};
type FromTo = { from: number; to: number };
type Diff = {
  files: { added: string[]; removed: string[]; changed: string[] };
  rows?: FromTo;
  columns: { added: string[]; removed: string[]; retyped: { name: string; from: string; to: string }[] };
  values: { name: string; nulls: FromTo; distinct: FromTo; mean?: FromTo & { shift?: number } }[];
};
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
    .argument('[source]', 'file, folder or glob; from rondo.yaml without it')
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
        checks.length === 0
          ? 'No checks: `rondo data infer` suggests some.'
          : [checkTable(checks), ...checks.flatMap(samplesText)].join('\n'),
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
      output.result(answer, ({ items }) => (items.length === 0 ? 'No version of it yet.' : versionTable(items)));
    });

  withProject('show', 'show a version with its columns and checks')
    .argument('<dataset>', 'flights or flights@3; the newest without a number')
    .action(async (text: string, options: ProjectOption) => {
      const client = await api();
      const project = await projectName(cwd, options.project);
      const { name, version: number } = datasetVersion(text);
      const version = number ?? (await newest(client, project, name));
      const found = await client.call<Version>(
        'GET',
        path`/api/v1/projects/${project}/datasets/${name}/versions/${version}`,
        { signal },
      );
      output.result(found, showVersion);
    });

  withProject('diff', 'what changed from one version to another')
    .argument('<dataset>')
    .argument('[from]', 'a version; the one before `to` without it', wholeNumber)
    .argument('[to]', 'a version; the newest without it', wholeNumber)
    .action(async (name: string, from: number | undefined, to: number | undefined, options: ProjectOption) => {
      const client = await api();
      const project = await projectName(cwd, options.project);
      const newer = to ?? (await newest(client, project, name));
      const older = from ?? newer - 1;
      if (older < 1)
        throw new PlatformError('cli/usage', name, { message: `${name} has one version: nothing to compare it with.` });
      const found = await client.call<Diff>('GET', path`/api/v1/projects/${project}/datasets/${name}/diff`, {
        query: { from: older, to: newer },
        signal,
      });
      output.result({ from: older, to: newer, ...found }, () => diffText(`${name}@${older} → ${name}@${newer}`, found));
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
      return failed.length === 0 ? said : [said, '', checkTable(failed), ...failed.flatMap(samplesText)].join('\n');
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

/** The first rows that break a check: nobody has to look for them. */
function samplesText({ name = '', samples = [] }: CheckResult): readonly string[] {
  if (samples.length === 0) return [];
  const hasFiles = samples.some(({ file }) => file !== undefined);
  const rows = table(samples.slice(0, samplesTold), [
    { title: 'row', cell: ({ row }) => String(row), align: 'right' },
    ...(hasFiles ? [{ title: 'file', cell: ({ file = '' }: { file?: string }) => file }] : []),
    { title: 'value', cell: ({ value }) => (value === undefined || value === null ? '(missing)' : String(value)) },
  ]);
  return ['', `Not ${name}, for example:`, rows];
}

const samplesTold = 5;

function diffText(title: string, { files, rows, columns, values }: Diff): string {
  const list = (word: string, names: readonly string[]) => (names.length === 0 ? [] : [`${word} ${names.join(', ')}`]);
  return [
    title,
    ...list('files added:', files.added),
    ...list('files removed:', files.removed),
    ...list('files changed:', files.changed),
    ...(rows ? [`rows: ${rows.from} → ${rows.to}`] : []),
    ...list('columns added:', columns.added),
    ...list('columns removed:', columns.removed),
    ...columns.retyped.map(({ name, from, to }) => `column ${name}: ${from} → ${to}`),
    '',
    table(values, [
      { title: 'column', cell: ({ name }) => name },
      { title: 'missing', cell: ({ nulls }) => changeText(nulls, shareText), align: 'right' },
      { title: 'distinct', cell: ({ distinct }) => changeText(distinct, String), align: 'right' },
      { title: 'mean', cell: ({ mean }) => (mean ? changeText(mean, short) : ''), align: 'right' },
      {
        title: 'shift',
        cell: ({ mean }) => (mean?.shift === undefined ? '' : `${short(mean.shift)} sd`),
        align: 'right',
      },
    ]),
  ].join('\n');
}

function changeText({ from, to }: FromTo, say: (value: number) => string): string {
  const [before, after] = [say(from), say(to)];
  return before === after ? after : `${before} → ${after}`;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** `flights`, `flights@3`. @throws PlatformError cli/usage */
function datasetVersion(text: string): { readonly name: string; readonly version?: number } {
  const [, name, version] = /^([^@]+)(?:@v?(\d+))?$/.exec(text) ?? [];
  if (name === undefined)
    throw new PlatformError('cli/usage', text, {
      message: `"${text}" is not a version of a dataset.`,
      hint: 'write flights or flights@3',
    });
  return { name, ...(version !== undefined && { version: Number(version) }) };
}

/** `rondo models`: the registry. */
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { table, timeText } from './table.ts';
import { versionOf } from './version-name.ts';

type Summary = { version: number; createdAt: number; phase?: string; aliases: string[]; runId?: string };
type Model = { name: string; project: string; description?: string; versions?: Summary[] };
type Version = Summary & {
  model: string;
  source: string;
  sealed?: { findings: { severity: string; message: string; fix?: string }[]; inputs: Tensor[]; outputs: Tensor[] };
};
type Tensor = { name: string; datatype: string; shape: number[] };

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .argument('[name]', 'one model, or one version: flight-delay, flight-delay@3')
    .action(async (name: string | undefined) => {
      const client = await api();
      if (name === undefined) {
        const answer = await client.call<{ items: Model[] }>('GET', '/api/v1/models', { signal });
        return output.result(answer, ({ items }) => (items.length === 0 ? 'No models.' : listModels(items)));
      }
      const { model, version } = versionOf(name);
      if (version === undefined) {
        return output.result(await client.call<Model>('GET', path`/api/v1/models/${model}`, { signal }), showModel);
      }
      output.result(
        await client.call<Version>('GET', path`/api/v1/models/${model}/versions/${version}`, { signal }),
        showVersion,
      );
    });
};

function listModels(models: readonly Model[]): string {
  return table(models, [
    { title: 'model', cell: ({ name }) => name },
    { title: 'project', cell: ({ project }) => project },
    {
      title: 'newest',
      cell: ({ versions = [] }) => String(Math.max(0, ...versions.map(({ version }) => version)) || ''),
      align: 'right',
    },
    {
      title: 'live',
      cell: ({ versions = [] }) => inPhase(versions, 'production', 'monitoring', 'retraining'),
      align: 'right',
    },
    { title: 'rolling out', cell: ({ versions = [] }) => inPhase(versions, 'staging'), align: 'right' },
    {
      title: 'aliases',
      cell: ({ versions = [] }) =>
        versions.flatMap(({ aliases, version }) => aliases.map((alias) => `${alias}@${version}`)).join(' '),
    },
  ]);
}

function inPhase(versions: readonly Summary[], ...wanted: string[]): string {
  return versions
    .flatMap(({ phase, version }) => (phase !== undefined && wanted.includes(phase) ? [version] : []))
    .join(' ');
}

function showModel({ name, description, versions = [] }: Model): string {
  const rows = table(versions, [
    { title: 'version', cell: ({ version }) => String(version), align: 'right' },
    { title: 'phase', cell: ({ phase = '' }) => phase },
    { title: 'aliases', cell: ({ aliases }) => aliases.join(' ') },
    { title: 'created', cell: ({ createdAt }) => timeText(createdAt) },
    { title: 'run', cell: ({ runId = '' }) => runId },
  ]);
  return [name, ...(description ? [description] : []), '', rows].join('\n');
}

function showVersion({ model, version, phase = '', aliases, createdAt, source, sealed }: Version): string {
  const facts = [
    `${model}@${version}  ${phase}  ${aliases.join(' ')}`.trimEnd(),
    `created ${timeText(createdAt)} from ${source}`,
  ];
  for (const [title, tensors] of [
    ['input', sealed?.inputs ?? []],
    ['output', sealed?.outputs ?? []],
  ] as const) {
    if (tensors.length === 0) continue;
    facts.push(
      '',
      table(tensors, [
        { title, cell: ({ name }) => name },
        { title: 'type', cell: ({ datatype }) => datatype },
        { title: 'shape', cell: ({ shape }) => `[${shape.map((size) => (size === -1 ? '*' : size)).join(', ')}]` },
      ]),
    );
  }
  for (const { severity, message, fix } of sealed?.findings ?? [])
    facts.push('', `${severity}: ${message}`, ...(fix ? [`  fix: ${fix}`] : []));
  return facts.join('\n');
}

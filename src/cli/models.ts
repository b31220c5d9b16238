/** `rondo models`: the registry. */
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
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

type Move = { at: number; actor: string; because?: string } & (
  | { kind: 'alias'; alias: string; from?: number; to?: number }
  | { kind: 'stage'; version: number; from?: string; to?: string }
);
type History = {
  model: string;
  at?: number;
  aliases: Record<string, number>;
  stages: Record<string, string>;
  moves: Move[];
};

export const define: DefineCommand = (command, { api, output, signal }) => {
  command
    .command('history')
    .description('show who moved which alias or stage when, and what they said at any moment')
    .argument('<name>', 'a model')
    .option('--at <moment>', 'a time, or a day for its end: 2026-05-03, 2026-05-03T10:00:00Z')
    .option('--limit <n>', 'at most so many moves', wholeNumber, 50)
    .action(async (name: string, query: { at?: string; limit: number }) => {
      const target = path`/api/v1/models/${name}/history`;
      const { at, limit } = query;
      output.result(await (await api()).call<History>('GET', target, { query: { at, limit }, signal }), showHistory);
    });

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

function showHistory({ model, at, aliases, stages, moves }: History): string {
  const labels = [
    ...Object.entries(aliases).map(([alias, version]) => ({ label: `@${alias}`, version: String(version) })),
    ...Object.entries(stages).map(([version, stage]) => ({ label: stage, version })),
  ];
  const when = at === undefined ? 'now' : timeText(at);
  const standing =
    labels.length === 0
      ? `${model} ${at === undefined ? 'has' : 'had'} no aliases and no stages${at === undefined ? '' : ` at ${when}`}.`
      : table(labels, [
          { title: `${model}, ${when}`, cell: ({ label }) => label },
          { title: 'version', cell: ({ version }) => version, align: 'right' },
        ]);
  if (moves.length === 0) return standing;
  const rows = table(moves, [
    { title: 'at', cell: (move) => timeText(move.at) },
    { title: 'who', cell: ({ actor }) => actor },
    { title: 'what', cell: (move) => (move.kind === 'alias' ? `@${move.alias}` : `stage of ${move.version}`) },
    { title: 'from', cell: ({ from = '' }) => String(from) },
    { title: 'to', cell: ({ to = '' }) => String(to) },
    { title: 'why', cell: ({ because = '' }) => because },
  ]);
  return `${standing}\n\n${rows}`;
}

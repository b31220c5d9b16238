/** `rondo replay`: where an answer came from, and whether the same model gives it again. */
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';

type Runtime = { onnxruntime: string; platform: string; cpu: string; cpuFeatures: string[]; threads: number };
type Replay = {
  identical: boolean;
  greatestDifference?: number;
  because: string;
  recorded: unknown;
  computed: unknown;
  model: string;
  version: number;
  lineage: {
    datasets?: { name: string; version: string; context: string }[];
    code?: string;
    environment?: string;
    seed?: number;
    execution?: string;
  };
  runtime: { current: Runtime; recorded?: Runtime };
};

export const define: DefineCommand = (command, { api, output, signal, setExitCode }) => {
  command.argument('<prediction-id>', 'from an answer, or the log').action(async (id: string) => {
    const replay = await (await api()).call<Replay>('POST', path`/api/v1/predictions/${id}/replay`, { signal });
    output.result(replay, show);
    if (!replay.identical) setExitCode(1);
  });
};

function show({ identical, greatestDifference, because, recorded, computed, ...made }: Replay): string {
  const { model, version, lineage, runtime } = made;
  const difference = greatestDifference === undefined ? 'not by numbers' : `by ${greatestDifference} at most`;
  const data = lineage.datasets?.map(({ name, version: of }) => `${name}@${of}`).join(', ');
  const facts = [
    ['model', `${model}@${version}`],
    ['data', data],
    ['code', lineage.code],
    ['environment', lineage.environment],
    ['seed', lineage.seed],
    ['execution', lineage.execution],
    ['computed by', runtime.recorded && sayRuntime(runtime.recorded)],
    ['recorded', JSON.stringify(recorded)],
    ['computed', JSON.stringify(computed)],
  ] as const;
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  return [
    `${identical ? 'Identical, bit for bit' : `Different, ${difference}`}: ${because}`,
    ...known.map(([name, value]) => `  ${name.padEnd(11)}  ${value}`),
  ].join('\n');
}

const sayRuntime = ({ onnxruntime, platform, cpu, cpuFeatures, threads }: Runtime): string =>
  `${onnxruntime}, ${platform}, ${cpu} (${cpuFeatures.join(' ')}), ${threads} thread${threads === 1 ? '' : 's'}`;

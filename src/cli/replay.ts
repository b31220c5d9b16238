/** `rondo replay`: the same model, data and runtime must give the same answer. */
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';

type Replay = { identical: boolean; recorded: unknown; computed: unknown; model: string; version: number };

export const define: DefineCommand = (command, { api, output, signal, setExitCode }) => {
  command.argument('<prediction-id>', 'from an answer, or the log').action(async (id: string) => {
    const replay = await (await api()).call<Replay>('POST', path`/api/v1/predictions/${id}/replay`, { signal });
    output.result(replay, ({ identical, recorded, computed, model, version }) =>
      [
        `${identical ? 'Identical' : 'Different'}: ${model}@${version}`,
        `recorded  ${JSON.stringify(recorded)}`,
        `computed  ${JSON.stringify(computed)}`,
      ].join('\n'),
    );
    if (!replay.identical) setExitCode(1);
  });
};

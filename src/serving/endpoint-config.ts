/** The part `endpoint:` of rondo.yaml. */
import { type Static, Type } from 'typebox';
import type { Endpoint, Task } from './endpoint.ts';

const name = (description: string) => Type.String({ minLength: 1, maxLength: 250, description });

export const EndpointConfig = Type.Object(
  {
    // Also a folder of the log, so no dots in front and nothing a file system would fold.
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$', description: 'The name that clients call.' }),
    key: Type.Optional(
      name('The input whose value joins a label to its prediction; absent: the id of the prediction.'),
    ),
    time: Type.Optional(name('The input that carries event time; absent: the wall clock.')),
    assign: Type.Optional(name('The input that names a sticky unit; absent: the unit is the request.')),
    latency: Type.Optional(
      Type.String({
        pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)$',
        title: 'a duration, such as 100ms or 2s',
        description: 'What an answer may take; 100ms when absent.',
      }),
    ),
    log: Type.Optional(
      Type.Union(
        [
          Type.Literal('durable'),
          Type.Literal('buffered'),
          Type.Object(
            {
              sampled: Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'The share of requests to keep.' }),
            },
            { additionalProperties: false },
          ),
        ],
        {
          description:
            'durable, when absent: on disk before the answer leaves. buffered: the answer does not wait, and a crash loses the last ' +
            'moment. sampled: buffered, and only a share.',
        },
      ),
    ),
  },
  { additionalProperties: false, description: 'The stable name that clients call, and what is kept of its answers.' },
);
export type EndpointConfig = Static<typeof EndpointConfig>;

/** @param model `task` and `target` of the project's model */
export function endpointOf(
  config: EndpointConfig,
  { project, task, target }: { readonly project: string; readonly task: Task; readonly target?: string | undefined },
): Endpoint {
  const { name, key, time, assign, latency = '100ms', log = 'durable' } = config;
  return {
    ...{ name, project, task, log },
    latencyMs: latency.endsWith('ms') ? Number(latency.slice(0, -2)) : Number(latency.slice(0, -1)) * 1_000,
    ...(key !== undefined && { key }),
    ...(time !== undefined && { time }),
    ...(assign !== undefined && { assign }),
    ...(target !== undefined && { target }),
  };
}

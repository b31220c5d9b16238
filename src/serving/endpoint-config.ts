/** `endpoint:` of rondo.yaml: a stable name that clients call, and what its answers must keep to. */
import { type Static, Type } from 'typebox';
import type { Endpoint, Task } from './endpoint.ts';

const closed = { additionalProperties: false } as const;
const inputName = Type.String({ minLength: 1, maxLength: 250 });

export const EndpointConfig = Type.Object(
  {
    name: Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_-]{0,99}$' }),
    key: Type.Optional(inputName),
    time: Type.Optional(inputName),
    assign: Type.Optional(inputName),
    latency: Type.Optional(
      Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)$', description: 'What an answer may take: 100ms.' }),
    ),
    log: Type.Optional(
      Type.Union([
        Type.Literal('durable', { description: 'No answer leaves that is not on disk.' }),
        Type.Literal('buffered', { description: 'Answers do not wait for the disk.' }),
        Type.Object({ sampled: Type.Number({ exclusiveMinimum: 0, maximum: 1 }) }, closed),
      ]),
    ),
  },
  { ...closed, description: 'Where the model answers, and how late labels find their predictions.' },
);
export type EndpointConfig = Static<typeof EndpointConfig>;

const defaultLatencyMs = 100;

export function endpointOf(
  config: EndpointConfig,
  model: { readonly project: string; readonly task: Task; readonly target?: string },
): Endpoint {
  const { name, key, time, assign, latency, log = 'durable' } = config;
  return {
    name,
    ...model,
    ...(key !== undefined && { key }),
    ...(time !== undefined && { time }),
    ...(assign !== undefined && { assign }),
    latencyMs: latency === undefined ? defaultLatencyMs : latencyMsOf(latency),
    log,
  };
}

const latencyMsOf = (text: string): number =>
  text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000;

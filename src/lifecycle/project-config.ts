/** rondo.yaml as a whole: each context owns its part, here they come together. */
import { type Static, Type } from 'typebox';
import { DataConfig } from '../datasets/data-config.ts';
import { PlatformError } from '../errors.ts';
import { GatesConfig } from '../gates/gates-config.ts';
import { monitorsSchema } from '../monitoring/monitors-config.ts';
import { PipelineConfig } from '../pipelines/pipeline-config.ts';
import { rolloutSchema } from '../rollouts/rollout-config.ts';
import { EndpointConfig } from '../serving/endpoint-config.ts';
import { checkYaml } from './checked-yaml.ts';
import { ModelConfig } from './model-config.ts';
import { projectFileName } from './project.ts';
import { RetrainConfig } from './retrain-config.ts';

/** Published at `/api/v1/schema/rondo.json`, so that editors complete the file. */
export const ProjectConfig = Type.Object(
  {
    project: Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_-]{0,99}$' }),
    data: Type.Optional(DataConfig),
    pipeline: Type.Optional(PipelineConfig),
    model: Type.Optional(ModelConfig),
    gates: Type.Optional(GatesConfig),
    endpoint: Type.Optional(EndpointConfig),
    rollout: Type.Optional(rolloutSchema),
    monitors: Type.Optional(monitorsSchema),
    retrain: Type.Optional(RetrainConfig),
  },
  {
    $id: 'rondo.json',
    title: 'rondo.yaml',
    description: 'A project: its data, pipeline, model, gates, endpoint, rollout, monitors and retraining.',
    additionalProperties: false,
  },
);
export type ProjectConfig = Static<typeof ProjectConfig>;

/** @throws PlatformError lifecycle/invalid-project-file with a line, a column and a fix for everything that is wrong */
export function parseProjectFile(text: string): ProjectConfig {
  const checked = checkYaml(text, ProjectConfig);
  if ('value' in checked) return checked.value as ProjectConfig; // just checked against its schema
  const told = checked.faults.map(({ line, column, message, fix }) => `${projectFileName}:${line}:${column} ${message}${fix ? ` (${fix})` : ''}`);
  throw new PlatformError('lifecycle/invalid-project-file', projectFileName, {
    message: told[0] ?? `${projectFileName} is not valid.`,
    ...(told.length > 1 && { hint: `also: ${told.slice(1, 6).join('; ')}` }),
    at: checked.faults.map(({ pointer, message, line, column }) => ({ pointer, message: `line ${line}, column ${column}: ${message}` })),
    data: { faults: checked.faults },
  });
}

/** What no schema can say: whether the parts of rondo.yaml fit each other. */
import { monitorPlan } from '../monitoring/monitors-config.ts';
import { rolloutPlan } from '../rollouts/rollout-config.ts';
import type { Problem } from './explain-mismatch.ts';
import type { ProjectConfig } from './project-schema.ts';

export function checkProject(config: ProjectConfig): readonly Problem[] {
  return [
    ...attempt(['rollout', 'steps'], () => rolloutPlan(config.rollout)),
    ...attempt(['monitors'], () => monitorPlan(config.monitors)),
    ...retrainProblems(config),
    ...endpointProblems(config),
    ...aliasProblems(config),
  ];
}

function retrainProblems({ retrain, monitors, pipeline, model }: ProjectConfig): readonly Problem[] {
  if (!retrain) return [];
  const problems: Problem[] = [];
  for (const [key, part] of Object.entries({ pipeline, model })) {
    if (part === undefined)
      problems.push({ path: ['retrain'], message: `retrain needs a ${key}`, fix: `Add ${key}:.` });
  }
  for (const [i, trigger] of retrain.when.entries()) {
    for (const monitor of ['drift', 'quality'] as const) {
      if (monitor in trigger && monitors?.[monitor] === undefined) {
        const fix = `Add monitors: {${monitor}: …}.`;
        problems.push({ path: ['retrain', 'when', i], message: `no monitor watches ${monitor}`, fix });
      }
    }
  }
  return problems;
}

function endpointProblems({ endpoint, rollout, monitors }: ProjectConfig): readonly Problem[] {
  const problems: Problem[] = [];
  if (endpoint === undefined) {
    for (const [key, part] of Object.entries({ rollout, monitors })) {
      if (part !== undefined)
        problems.push({ path: [key], message: `${key} needs an endpoint`, fix: 'Add endpoint: {name: …}.' });
    }
    return problems;
  }
  const keyless = typeof endpoint === 'object' && endpoint !== null && !('key' in endpoint);
  const fix = 'Add endpoint.key: the input that joins a label to its prediction.';
  const metric = rollout?.guardrails?.findIndex((one) => 'metric' in one) ?? -1;
  if (keyless && metric >= 0) {
    problems.push({
      path: ['rollout', 'guardrails', metric],
      message: 'a metric needs labels, and labels need a key',
      fix,
    });
  }
  for (const part of ['quality', 'fairness'] as const) {
    if (keyless && monitors?.[part])
      problems.push({ path: ['monitors', part], message: `${part} needs labels, and labels need a key`, fix });
  }
  return problems;
}

function aliasProblems({ rollout, model }: ProjectConfig): readonly Problem[] {
  const alias = rollout?.alias;
  if (alias === undefined) return [];
  const path = ['rollout', 'alias'];
  if (!model) return [{ path, message: 'an alias is one of a model', fix: 'Add model: {name: …}.' }];
  // MLflow reads these as versions, so that nobody can set them.
  if (!/^(latest|v\d+)$/i.test(alias)) return [];
  return [
    {
      path,
      message: `${alias} cannot be an alias`,
      fix: 'Take a name that MLflow does not reserve, such as champion.',
    },
  ];
}

function attempt(path: Problem['path'], work: () => unknown): readonly Problem[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof RangeError) return [{ path, message: error.message }];
    throw error;
  }
}

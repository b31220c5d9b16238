/** What no schema can say: whether the parts of rondo.yaml fit each other. */
import { type Check, parseSource } from '../datasets/data-config.ts';
import { PlatformError } from '../errors.ts';
import { gatePlan } from '../gates/gates-config.ts';
import { monitorPlan } from '../monitoring/monitors-config.ts';
import { planPipeline } from '../pipelines/pipeline.ts';
import { rolloutPlan } from '../rollouts/rollout-config.ts';
import type { Problem } from './explain-mismatch.ts';
import type { ProjectConfig } from './project-schema.ts';
import { isCronLine } from './retrain-config.ts';

export function checkProject(config: ProjectConfig): readonly Problem[] {
  return [
    ...dataProblems(config),
    ...pipelineProblems(config),
    ...gateProblems(config),
    ...attempt(['rollout', 'steps'], () => rolloutPlan(config.rollout)),
    ...attempt(['monitors'], () => monitorPlan(config.monitors)),
    ...retrainProblems(config),
    ...endpointProblems(config),
    ...aliasProblems(config),
  ];
}

function dataProblems({ data = {} }: ProjectConfig): readonly Problem[] {
  return Object.entries(data).flatMap(([name, { source, checks = [] }]) => [
    ...sourceProblems(['data', name, 'source'], source),
    ...checks.flatMap((check, i) => checkProblems(['data', name, 'checks', i], check)),
  ]);
}

function sourceProblems(path: Problem['path'], source: string): readonly Problem[] {
  if (parseSource(source)) return [];
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(source)?.[0];
  if (scheme === 'endpoint://') {
    const fix = 'Write endpoint://name?last=60d, with m, h, d or w.';
    return [{ path, message: `"${source}" names no endpoint and span`, fix }];
  }
  const fix = 'Bring the file into the project folder, and name it, its folder or a glob.';
  return scheme
    ? [{ path, message: `${scheme} is no source that is read`, fix }]
    : [{ path, message: `"${source}" lies outside of the project folder`, fix }];
}

/** What nothing could pass. */
function checkProblems(path: Problem['path'], check: Check): readonly Problem[] {
  const bounds = 'rows' in check ? [check.rows.min, check.rows.max] : (check.between ?? [check.min, check.max]);
  const [low, high] = bounds;
  if (low === undefined || high === undefined || typeof low !== typeof high || low <= high) return [];
  return [{ path, message: `nothing lies between ${low} and ${high}`, fix: 'Write the smaller one first.' }];
}

function pipelineProblems({ pipeline, data = {} }: ProjectConfig): readonly Problem[] {
  if (!pipeline) return [];
  const whole = planProblem(['pipeline'], () => planPipeline(pipeline, Object.keys(data)));
  if (whole.length === 0) return [];
  // What is wrong with a step by itself is told there, and each of them.
  const alone = Object.entries(pipeline).flatMap(([name, step]) =>
    planProblem(['pipeline', name], () => planPipeline({ [name]: { ...step, reads: [] } }, [])),
  );
  return alone.length > 0 ? alone : whole;
}

function planProblem(path: Problem['path'], plan: () => unknown): readonly Problem[] {
  try {
    plan();
    return [];
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    return [{ path, message: error.message.replace(/\.$/, ''), ...(error.hint !== undefined && { fix: error.hint }) }];
  }
}

function gateProblems({ gates, model }: ProjectConfig): readonly Problem[] {
  if (!gates) return [];
  if (!model) return [{ path: ['gates'], message: 'gates test a model', fix: 'Add model: {name: …, task: …}.' }];
  return gates.tests.flatMap((test, i) =>
    attempt(['gates', 'tests', i], () => gatePlan({ data: gates.data, tests: [test] })),
  );
}

function retrainProblems({ retrain, monitors, pipeline, model }: ProjectConfig): readonly Problem[] {
  if (!retrain) return [];
  const problems: Problem[] = [];
  for (const [key, part] of Object.entries({ pipeline, model })) {
    if (part === undefined)
      problems.push({ path: ['retrain'], message: `retrain needs a ${key}`, fix: `Add ${key}:.` });
  }
  for (const [i, trigger] of retrain.when.entries()) {
    if ('schedule' in trigger && !isCronLine(trigger.schedule)) {
      const fix = "Write minute, hour, day, month and weekday: '0 3 * * 1' is Mondays at three.";
      problems.push({
        path: ['retrain', 'when', i, 'schedule'],
        message: `"${trigger.schedule}" is no cron line`,
        fix,
      });
    }
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

/** A pipeline as a graph of steps: what runs, in which order, and on what it depends. */
import { PlatformError } from '../errors.ts';
import { parseCommand } from './command.ts';
import type { ParamValue, PipelineConfig, StepConfig } from './pipeline-config.ts';

export type PlannedStep = {
  readonly name: string;
  readonly argv: readonly string[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly seed?: number;
  /** `reads`, told apart. */
  readonly steps: readonly string[];
  readonly datasets: readonly string[];
  readonly files: readonly string[];
  /** Everything it must leave behind, the model included. */
  readonly writes: readonly string[];
  readonly model?: string;
};

export type PlanRequest = {
  /** Only these and what they need; all when absent. */
  readonly steps?: readonly string[];
  /** `depth` sets it wherever it is declared, `train.depth` in one step. */
  readonly params?: Readonly<Record<string, ParamValue>>;
};

/**
 * The steps to be run, each after those it reads.
 * @throws PlatformError `pipelines/cycle`, `pipelines/unknown-step`, `pipelines/unknown-param`, `pipelines/bad-step`, `pipelines/bad-command`
 */
export function planPipeline(
  config: PipelineConfig,
  datasets: readonly string[],
  request: PlanRequest = {},
): readonly PlannedStep[] {
  const names = Object.keys(config);
  for (const name of request.steps ?? []) {
    if (!Object.hasOwn(config, name))
      throw new PlatformError('pipelines/unknown-step', name, { hint: `There are ${names.join(', ')}.` });
  }
  const clash = names.find((name) => datasets.includes(name));
  if (clash !== undefined) {
    throw new PlatformError('pipelines/bad-step', clash, {
      message: `${clash} is both a step and a dataset.`,
      hint: 'Rename one.',
    });
  }
  const overridden = applyParams(config, request.params ?? {});
  const ordered = inOrder(overridden, request.steps ?? names).map((name) => planStep(name, overridden, datasets));
  const writers = new Map<string, string>();
  for (const { name, writes } of ordered) {
    for (const path of writes) {
      const other = writers.get(path);
      if (other !== undefined) {
        throw new PlatformError('pipelines/bad-step', name, { message: `${other} and ${name} both write ${path}.` });
      }
      writers.set(path, name);
    }
  }
  return ordered;
}

function planStep(name: string, config: PipelineConfig, datasets: readonly string[]): PlannedStep {
  const step = config[name] as StepConfig; // a name from the configuration itself
  const { reads = [], writes = [], params = {}, seed, model } = step;
  const isStep = (read: string) => Object.hasOwn(config, read);
  return {
    name,
    argv: parseCommand(step.run, { params, ...(seed !== undefined && { seed }) }),
    params,
    ...(seed !== undefined && { seed }),
    steps: reads.filter(isStep),
    datasets: reads.filter((read) => datasets.includes(read)),
    files: reads.filter((read) => !isStep(read) && !datasets.includes(read)),
    writes: [...new Set([...writes, ...(model === undefined ? [] : [model])])],
    ...(model !== undefined && { model }),
  };
}

/** Depth first; steps keep the order of the file where the graph leaves it open. */
function inOrder(config: PipelineConfig, wanted: readonly string[]): readonly string[] {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    const seen = path.indexOf(name);
    if (seen !== -1) {
      const cycle = [...path.slice(seen), name].join(' → ');
      throw new PlatformError('pipelines/cycle', cycle, { hint: 'A step cannot read what comes out of itself.' });
    }
    for (const read of config[name]?.reads ?? []) {
      if (Object.hasOwn(config, read)) visit(read, [...path, name]);
    }
    done.add(name);
  };
  for (const name of Object.keys(config)) if (wanted.includes(name)) visit(name, []);
  return [...done];
}

function applyParams(config: PipelineConfig, overrides: Readonly<Record<string, ParamValue>>): PipelineConfig {
  const changed = structuredClone(config);
  for (const [key, value] of Object.entries(overrides)) {
    const [first = '', second] = key.split('.');
    const targets = second === undefined ? Object.keys(changed) : [first];
    const param = second ?? first;
    const having = targets.filter(
      (name) => Object.hasOwn(changed, name) && Object.hasOwn(changed[name]?.params ?? {}, param),
    );
    if (having.length === 0) {
      const known = Object.entries(config).flatMap(([name, { params = {} }]) =>
        Object.keys(params).map((one) => `${name}.${one}`),
      );
      throw new PlatformError('pipelines/unknown-param', key, { hint: `There are ${known.join(', ') || 'none'}.` });
    }
    for (const name of having) Object.assign(changed[name]?.params ?? {}, { [param]: value });
  }
  return changed;
}

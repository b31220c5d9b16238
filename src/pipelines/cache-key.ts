/** Whether a step has to run: the digest over everything it reads, and in words what is different. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/canonical-json.ts';
import type { ParamValue } from './pipeline-config.ts';

/** Everything that a step's outputs depend on, as far as it can be known from outside. */
export type StepFacts = {
  readonly argv: readonly string[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly seed?: number;
  /** Versions of the program that is run and of the platform: nothing that differs between two equal machines. */
  readonly environment: Readonly<Record<string, string>>;
  /** The number is for people; the root is the identity. */
  readonly datasets: Readonly<Record<string, { readonly root: string; readonly version: number }>>;
  /** Content digests by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Digests of what earlier steps wrote, by step and path. */
  readonly steps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly writes: readonly string[];
};

export function stepKey(facts: StepFacts): string {
  const { argv, params, seed, environment, datasets, files, steps, writes } = facts;
  const roots = Object.fromEntries(Object.entries(datasets).map(([name, { root }]) => [name, root]));
  const text = canonicalJson({
    argv,
    params,
    seed: seed ?? null,
    environment,
    datasets: roots,
    files,
    steps,
    writes: [...writes].sort(),
  });
  return createHash('sha256').update(text).digest('hex');
}

/** Why a step runs, in words. @returns at most three differences; empty when there is none */
export function explainDifferences(before: StepFacts, now: StepFacts): string {
  const differences = [
    ...compare(before.params, now.params, (name, from, to) => `params.${name} ${change(from, to)}`),
    ...(before.seed === now.seed ? [] : [`seed ${change(before.seed, now.seed)}`]),
    ...compare(roots(before), roots(now), (name) => {
      const [from, to] = [before.datasets[name]?.version, now.datasets[name]?.version];
      return `dataset ${name} ${change(from, to)}`;
    }),
    ...compare(before.files, now.files, (path, from, to) =>
      from === undefined ? `${path} is new` : to === undefined ? `${path} is gone` : `${path} changed`,
    ),
    ...Object.keys({ ...before.steps, ...now.steps }).flatMap((step) =>
      compare(before.steps[step] ?? {}, now.steps[step] ?? {}, (path) => `${step} wrote another ${path}`),
    ),
    ...compare(before.environment, now.environment, (name, from, to) => `${name} ${change(from, to)}`),
  ];
  // The command holds parameters: it is news only when nothing else explains it.
  if (differences.length === 0 && before.argv.join('\0') !== now.argv.join('\0'))
    differences.push('the command changed');
  if (differences.length === 0 && [...before.writes].sort().join('\0') !== [...now.writes].sort().join('\0')) {
    differences.push('it writes other files');
  }
  const shown = differences.slice(0, 3).join(', ');
  return differences.length > 3 ? `${shown} and ${differences.length - 3} more` : shown;
}

function roots({ datasets }: StepFacts): Record<string, string> {
  return Object.fromEntries(Object.entries(datasets).map(([name, { root }]) => [name, root]));
}

function compare<T extends ParamValue>(
  before: Readonly<Record<string, T>>,
  now: Readonly<Record<string, T>>,
  say: (name: string, from: T | undefined, to: T | undefined) => string,
): readonly string[] {
  return Object.keys({ ...before, ...now })
    .filter((name) => before[name] !== now[name])
    .map((name) => say(name, before[name], now[name]));
}

function change(from: ParamValue | undefined, to: ParamValue | undefined): string {
  if (from === undefined) return `is new (${to})`;
  return to === undefined ? 'is gone' : `changed ${from} → ${to}`;
}

/** One digest over the files and commands of several steps: the code that made something. */
export function codeDigest(steps: readonly StepFacts[]): string {
  const files = Object.assign({}, ...steps.map(({ files }) => files)) as Record<string, string>; // digests by path, each
  const commands = steps.map(({ argv }) => argv);
  return createHash('sha256').update(canonicalJson({ files, commands })).digest('hex');
}

/** Runs: one execution of training code with everything it logged. */
import { PlatformError } from '../errors.ts';
import type { Int64 } from '../storage/int64.ts';
import type { Lifecycle } from './experiment.ts';
import type { Metric } from './metric.ts';
import { invalid, invalidValue, type Param, type Tag } from './names.ts';

export const runStatuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof runStatuses)[number];

export type RunInfo = {
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  /** Milliseconds since 1970 as the client says; 0 when it does not. */
  readonly startTime: Int64;
  readonly endTime?: Int64;
  readonly artifactUri: string;
  readonly lifecycle: Lifecycle;
};

export type LoggedDataset = {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string;
  readonly profile?: string;
};

export type DatasetInput = { readonly dataset: LoggedDataset; readonly tags: readonly Tag[] };

export type Run = RunInfo & {
  /** The latest point of each metric. */
  readonly metrics: readonly Metric[];
  readonly params: readonly Param[];
  readonly tags: readonly Tag[];
  readonly datasets: readonly DatasetInput[];
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly { readonly modelId: string; readonly step: Int64 }[];
};

export const runNameTag = 'mlflow.runName';
/** Under which run a run stands. */
export const parentTag = 'mlflow.parentRunId';
export const datasetContextTag = 'mlflow.data.context';

export const isEnded = (status: RunStatus): boolean => status !== 'RUNNING' && status !== 'SCHEDULED';

export function validateRunId(id: string, path = 'run_id'): void {
  if (!/^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}$/u.test(id)) throw invalidValue(path, id);
}

export const runNotFound = (id: string): PlatformError => new PlatformError('tracking/run-not-found', id);

export function requireActiveRun(run: Pick<RunInfo, 'id' | 'lifecycle'>): void {
  if (run.lifecycle === 'active') return;
  const message = `The run ${run.id} must be in the 'active' state. Current state is ${run.lifecycle}.`;
  throw new PlatformError('tracking/not-active', `run/${run.id}`, { message, hint: 'Restore it first.' });
}

/** The name a new run gets, and its tags with that name in them. */
export function namedRun(
  given: string | undefined,
  tags: readonly Tag[],
  random: () => number,
): { readonly name: string; readonly tags: readonly Tag[] } {
  const tagged = tags.find(({ key }) => key === runNameTag)?.value;
  if (given && tagged && given !== tagged) {
    throw invalid(
      'run_name',
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${given}', mlflow.runName='${tagged}').`,
    );
  }
  const name = given || tagged || randomName(random);
  return {
    name,
    tags: tagged ? tags : [...tags.filter(({ key }) => key !== runNameTag), { key: runNameTag, value: name }],
  };
}

/** `adjective-animal-number`, for runs and models that nobody named. @param random uniform in [0, 1) */
export function randomName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return `${pick(adjectives)}-${pick(animals)}-${Math.floor(random() * 1000)}`;
}

const adjectives =
  'able agile amber ample bald bold brave brief bright calm capable careful casual chill clean clever crisp curious dapper deft delicate eager fearless fine fluent fond frank funny gaudy gentle glad grand handsome honest humble jolly keen kindly lean learned lively loud lyrical marvelous mellow merry mild nimble noble orderly overjoyed painted patient placid polite proud quick quiet rare rebellious receptive salty selective serious shiny sincere skillful smiling spiffy stately steady sunny tasteful thoughtful tidy trusting unique upbeat valiant vivid welcoming whimsical wise youthful zealous'.split(
    ' ',
  );
const animals =
  'ant ape asp auk badger bass bat bear bee bird boar bug calf carp cat chick cod colt conch cow crab crane crow cub deer doe dog dolphin donkey dove duck eel elk fawn finch fish flea fly foal fowl fox frog gnat goat goose grouse gull hare hawk hen hog horse hound jay kit koi lamb lark loon lynx mare midge mink mole moose moth mouse mule newt owl panda penguin perch pig pug quail ram rat ray robin roo seal shad sheep shrew shrike skunk sloth slug smelt snail snake snipe sow sponge squid squirrel stag steed stoat stork swan tern toad trout turtle vole wasp whale wolf worm wren yak zebra'.split(
    ' ',
  );

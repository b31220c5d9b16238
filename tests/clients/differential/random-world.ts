/** What a random sequence works with: few names and values, so that calls meet what earlier calls left. */
import type { Call } from './call.ts';
import type { Random } from './random.ts';

/** How many of each were asked for so far: a call names one of them, whether or not its server made it. */
export type Made = { runs: number; loggedModels: number; experiments: number; webhooks: number };
export type Kind = (random: Random, made: Made) => Call;

/** Of the runs; it is never deleted. */
export const experiment = 'EXPERIMENT_R_';
export const models = ['random-1', 'random-2'];
export const keys = ['a', 'b/c', 'loss'];
export const texts = ['1', 'A', 'a b', "it's", '50%', 'ä', ''];
export const numbers = [0, -0.5, 1, 2.5, 1e-300, 1e300, 123456789.125, 'NaN', 'Infinity', '-Infinity'];
export const versions = ['1', '2', '3', '4', '99'];

export const runOf = (random: Random, { runs }: Made): string => `RUN_X${1 + random.below(runs)}_`;
export const loggedModelOf = (random: Random, { loggedModels }: Made): string =>
  `MODEL_X${1 + random.below(loggedModels)}_`;
export const experimentOf = (random: Random, { experiments }: Made): string =>
  `EXPERIMENT_X${1 + random.below(experiments)}_`;
export const webhookOf = (random: Random, { webhooks }: Made): string => `HOOK_X${1 + random.below(webhooks)}_`;

export const pair = (random: Random) => ({ key: random.pick(keys), value: random.pick(texts) });
/** Each key once: of a key that comes twice, MLflow's database says what it likes. */
export const pairs = (random: Random, most: number) => [
  ...new Map(some(random, most, () => pair(random)).map((one) => [one.key, one])).values(),
];
export const some = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: random.below(most + 1) }, make);
export const quoted = (text: string): string => (text.includes("'") ? `"${text}"` : `'${text}'`);
export const oneIn = (random: Random, chances: number): boolean => random.below(chances) === 0;

/** Reading a model's answer: the score of a row, and whether it can be given to anybody. */
import { type ErrorCode, PlatformError } from '../errors.ts';
import type { ModelAnswer } from './inference-adapter.ts';
import type { ModelSignature } from './model-signature.ts';
import { isFloat, type TensorData } from './tensor.ts';

export function scoreOf(
  { outputs }: ModelAnswer,
  place: ModelSignature['score'],
  row: number,
  rows: number,
): number | undefined {
  const data = place && outputs[place.output]?.data;
  if (!data || !place) return undefined;
  return Number(data[(data.length / rows) * row + place.column]);
}

/** What the log calls it when a model did not answer. */
export const modelErrorCode = (error: unknown): ErrorCode =>
  error instanceof PlatformError ? error.code : 'serving/model-failed';

/** JSON has no NaN, and no decision should rest on one. @throws PlatformError `serving/not-finite` */
export function requireFinite({ outputs }: ModelAnswer, signature: ModelSignature): void {
  for (const [index, { data }] of outputs.entries()) {
    const spec = signature.outputs[index];
    if (spec && isFloat(spec.datatype) && !allFinite(data)) throw new PlatformError('serving/not-finite', spec.name);
  }
}

function allFinite(data: TensorData): boolean {
  for (let index = 0; index < data.length; index++) if (!Number.isFinite(data[index])) return false;
  return true;
}

/** Scores again, with another model, what was answered: bounded, after the answer, in threads of its own. */
import type { ErrorCode } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointMeter } from './endpoint-meter.ts';
import type { ModelLease } from './inference-adapter.ts';
import { unanswered } from './line-count.ts';
import { loggedLatency, mirrorLine } from './log-line.ts';
import { modelErrorCode, requireFinite, scoreOf } from './model-answer.ts';
import { decodeInferRequest, type InferRequest } from './open-inference.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import type { RequestRow } from './request-row.ts';
import type { Route, Variant } from './routing-plan.ts';
import type { LineCount } from './summary.ts';

export type MirrorJob = {
  readonly endpoint: Endpoint;
  readonly mirror: NonNullable<Route['mirror']>;
  readonly served: Variant;
  readonly body: unknown;
  readonly request: InferRequest;
  readonly rows: readonly RequestRow[];
  readonly meter: EndpointMeter;
};

export type MirrorDeps = {
  readonly log: Pick<PredictionLog, 'appendLater'>;
  readonly now: () => number;
  readonly clock: () => number;
  /** Rows that may wait; what comes beyond is not scored, and counted. */
  readonly maxRows?: number;
};

export type MirrorQueue = { offer(job: MirrorJob): void };

export function mirrorQueue({ log, now, clock, maxRows = 2_048 }: MirrorDeps): MirrorQueue {
  let waiting = 0;
  return {
    offer(job) {
      const count = job.rows.length;
      const lease = job.mirror.variant.mirrorLease;
      if (waiting + count > maxRows || !lease) {
        job.meter.mirrorDrops += count;
        return;
      }
      waiting += count;
      const started = clock();
      void score(job, lease).then((scored) => {
        waiting -= count;
        const [at, latencyMs] = [now(), loggedLatency(clock() - started)];
        const { role, variant, rollout, source } = job.mirror;
        const lines = job.rows.map(({ id, key, eventTime }, row) =>
          mirrorLine({
            ...{ predictionId: id, key, rollout, role, version: variant.version, at, eventTime, latencyMs },
            ...(typeof scored === 'string'
              ? ({ outcome: 'error', errorCode: scored, score: undefined } as const)
              : ({ outcome: 'ok', errorCode: undefined, score: scored[row] } as const)),
          }),
        );
        const counts = job.rows.map(({ eventTime }, row): LineCount => {
          const isError = typeof scored === 'string';
          const cells = isError ? unanswered : variant.cells.mirrored(scored[row]);
          return { source, eventTime, latencyMs, isError, cells };
        });
        const eventTime = Math.max(...job.rows.map((row) => row.eventTime));
        log.appendLater(job.endpoint.name, lines, { at, eventTime, counts });
      });
    },
  };
}

/** @returns a score per row; the code of the error when the model failed, for whatever reason: the record says so */
async function score(
  { endpoint, mirror, served, body, request, rows }: MirrorJob,
  lease: ModelLease,
): Promise<readonly (number | undefined)[] | ErrorCode> {
  const { variant } = mirror;
  try {
    // Versions usually take the same inputs; where they do not, the request is read again for this one.
    const own = sameInputs(variant, served)
      ? request
      : decodeInferRequest(body, { signature: variant.signature, endpoint });
    const answer = await lease.run(own);
    requireFinite(answer, variant.signature);
    return rows.map((_, row) => scoreOf(answer, variant.signature.score, row, rows.length));
  } catch (error) {
    return modelErrorCode(error);
  }
}

function sameInputs({ signature: a }: Variant, { signature: b }: Variant): boolean {
  return (
    a.batchable === b.batchable &&
    a.inputs.length === b.inputs.length &&
    a.inputs.every((spec, index) => {
      const other = b.inputs[index];
      return (
        other?.name === spec.name && other.datatype === spec.datatype && String(other.shape) === String(spec.shape)
      );
    })
  );
}

/** One request through an endpoint: two awaits, the model and, where the log is durable, the log. */
import { PlatformError } from '../errors.ts';
import { binaryOutputs, encodeBinaryAnswer } from './binary-tensors.ts';
import type { Endpoint } from './endpoint.ts';
import { countRequest } from './endpoint-meter.ts';
import type { ModelAnswer } from './inference-adapter.ts';
import type { LiveEndpoint } from './live-endpoints.ts';
import { loggedLatency } from './log-line.ts';
import type { MirrorJob } from './mirror-queue.ts';
import { modelErrorCode, requireFinite, scoreOf } from './model-answer.ts';
import { decodeInferRequest, encodeInferAnswer, type InferAnswer, type InferRequest } from './open-inference.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import { type RequestRow, rowsOf, unitOf } from './request-row.ts';
import type { Route } from './routing-plan.ts';
import type { LineCount } from './summary.ts';

export type PredictDeps = {
  readonly log: Pick<PredictionLog, 'append' | 'appendLater' | 'hasRoom'>;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Monotone, milliseconds: for durations. */
  readonly clock: () => number;
  readonly newPredictionId: (at: number) => string;
  /** 0 to 1: which answers a sampled log keeps. */
  readonly random: () => number;
};

export type PredictInput = {
  readonly body: unknown;
  /** Parses the body again with long integers kept; called only when one is met. */
  readonly exact: () => unknown;
  /** The version the client insists on. */
  readonly pinned?: string | undefined;
};

export type Prediction = {
  /** The answer as it goes out; with bytes behind its JSON, how much of it is JSON. */
  readonly answer: string | { readonly body: Buffer; readonly headerLength: number };
  /** What another model shall score after the answer has left. */
  readonly mirror: MirrorJob | undefined;
};

export async function predict(
  deps: PredictDeps,
  { plan, meter }: LiveEndpoint,
  input: PredictInput,
): Promise<Prediction> {
  const { endpoint } = plan;
  const { log } = deps;
  const started = deps.clock();
  const at = deps.now();
  const id = deps.newPredictionId(at);
  const unit = endpoint.assign === undefined ? id : unitOf(input.body, endpoint.assign);
  const route = routeOf(plan, unit, input.pinned);
  const { signature, lease, version } = route.variant;
  const request = decodeInferRequest(input.body, { signature, endpoint, exact: input.exact });
  const rows = rowsOf(request, { endpoint, id, unit, at });
  if (endpoint.log === 'durable' && !log.hasRoom(endpoint.name)) {
    throw new PlatformError('serving/log-full', endpoint.name, { data: { retryAfterSeconds: 1 } });
  }
  const record = recorder(deps, { endpoint, route, request, rows, at, started });

  let answer: ModelAnswer;
  try {
    answer = await lease.run(request);
    requireFinite(answer, signature);
  } catch (error) {
    const latencyMs = deps.clock() - started;
    const errorCode = modelErrorCode(error);
    countRequest(meter, { role: route.role, latencyMs, at, errorCode });
    // Refused before it was computed: nothing was predicted.
    if (errorCode !== 'serving/overloaded') await record.failed(errorCode, latencyMs);
    throw error;
  }
  const latencyMs = deps.clock() - started;
  try {
    const logged = record.answered(answer, latencyMs);
    if (logged) await logged;
  } catch (error) {
    countRequest(meter, { role: route.role, latencyMs, at, errorCode: 'serving/log-failing' });
    throw error;
  }
  countRequest(meter, { role: route.role, latencyMs, at });
  const outputs: InferAnswer['outputs'][number][] = [];
  for (const index of request.outputs ?? signature.outputs.keys()) {
    // Both have one entry per output of the signature.
    const spec = signature.outputs[index] as (typeof signature.outputs)[number];
    const { shape, data } = answer.outputs[index] as ModelAnswer['outputs'][number];
    outputs.push({ spec, shape, data });
  }
  const content: InferAnswer = {
    model: endpoint.name,
    version: version.version,
    id: request.id ?? id,
    variant: route.role,
    predictionIds: rows.map((row) => row.id),
    outputs,
  };
  const binary = binaryOutputs(input.body, outputs.length);
  return {
    answer: binary ? encodeBinaryAnswer(content, binary) : encodeInferAnswer(content),
    mirror: route.mirror && {
      endpoint,
      mirror: route.mirror,
      served: route.variant,
      body: input.body,
      request,
      rows,
      meter,
    },
  };
}

function routeOf(plan: LiveEndpoint['plan'], unit: string, pinned: string | undefined): Route {
  const { endpoint, traffic } = plan;
  if (pinned !== undefined) {
    const route = plan.pinned(pinned);
    if (!route) throw new PlatformError('serving/unknown-version', `${endpoint.name} ${pinned}`.slice(0, 128));
    return route;
  }
  const route = plan.route(unit);
  if (route) return route;
  const code = traffic.champion ? 'serving/not-ready' : 'serving/no-champion';
  throw new PlatformError(code, endpoint.name, { data: { retryAfterSeconds: 1 } });
}

function recorder(
  { log, random }: PredictDeps,
  given: {
    endpoint: Endpoint;
    route: Route;
    request: InferRequest;
    rows: readonly RequestRow[];
    at: number;
    started: number;
  },
) {
  const { endpoint, route, request, rows, at } = given;
  const { source } = route;
  const { lines, cells, signature } = route.variant;
  const mode = endpoint.log;
  const write = (written: readonly string[], counts: readonly LineCount[]): Promise<unknown> | undefined => {
    let eventTime = Number.NEGATIVE_INFINITY;
    for (const row of rows) eventTime = Math.max(eventTime, row.eventTime);
    if (mode === 'durable') return log.append(endpoint.name, written, { at, eventTime, counts });
    log.appendLater(endpoint.name, written, { at, eventTime, counts });
    return undefined;
  };
  const wanted = typeof mode === 'string' || random() < mode.sampled;
  return {
    answered(answer: ModelAnswer, measuredMs: number): Promise<unknown> | undefined {
      if (!wanted) return undefined;
      const latencyMs = loggedLatency(measuredMs);
      const { outputs, batchRows, row: first } = answer;
      const written: string[] = [];
      const counts: LineCount[] = [];
      for (let row = 0; row < rows.length; row++) {
        const facts = rows[row] as RequestRow; // row < length
        const score = scoreOf(answer, signature.score, row, rows.length);
        const batch = { rows: batchRows, row: first + row };
        written.push(lines.answered(route.head, request, { ...facts, at, latencyMs, row, outputs, score, batch }));
        const own = cells.answered(request, row, score);
        counts.push({ source, eventTime: facts.eventTime, latencyMs, isError: false, cells: own });
      }
      return write(written, counts);
    },
    failed(errorCode: string, measuredMs: number): Promise<unknown> | undefined {
      if (!wanted) return undefined;
      const latencyMs = loggedLatency(measuredMs);
      const failure = { at, latencyMs, errorCode };
      return write(
        rows.map((facts, row) => lines.failed(route.head, request, { ...facts, ...failure, row })),
        rows.map(({ eventTime }, row) => {
          return { source, eventTime, latencyMs, isError: true, cells: cells.failed(request, row) };
        }),
      );
    },
  };
}

/** One request through an endpoint: two awaits, the model and, where the log is durable, the log. */
import { PlatformError } from '../errors.ts';
import { binaryOutputs, encodeBinaryAnswer } from './binary-tensors.ts';
import type { Endpoint } from './endpoint.ts';
import { countRequest } from './endpoint-meter.ts';
import type { ModelAnswer } from './inference-adapter.ts';
import type { LiveEndpoint } from './live-endpoints.ts';
import { loggedLatency } from './log-line.ts';
import type { MirrorQueue } from './mirror-queue.ts';
import { modelErrorCode, requireFinite, scoreOf } from './model-answer.ts';
import { decodeInferRequest, encodeInferAnswer, type InferAnswer, type InferRequest } from './open-inference.ts';
import type { PredictionLog } from './prediction-log-store.ts';
import { type RequestRow, rowsOf, unitOf } from './request-row.ts';
import type { Route } from './routing-plan.ts';
import type { LineCount } from './summary.ts';

export type PredictDeps = {
  readonly log: Pick<PredictionLog, 'append' | 'appendLater' | 'hasRoom'>;
  readonly mirrors: MirrorQueue;
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

/** The answer as it goes out. */
export type Prediction = {
  readonly body: string | Buffer;
  /** Names and values, one after the other. */
  readonly headers: readonly string[];
  /** What is left to do when it has gone. */
  readonly afterwards: (() => void) | undefined;
};

export const jsonLength = 'inference-header-content-length';
const jsonHeaders: readonly string[] = ['content-type', 'application/json; charset=utf-8'];

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

  let answer: ModelAnswer;
  try {
    answer = await lease.run(request);
    requireFinite(answer, signature);
  } catch (error) {
    const latencyMs = deps.clock() - started;
    const errorCode = modelErrorCode(error);
    countRequest(meter, { role: route.role, latencyMs, at, errorCode });
    // Refused before it was computed: nothing was predicted.
    if (errorCode !== 'serving/overloaded')
      await recordFailure(deps, { endpoint, route, request, rows, at, latencyMs }, errorCode);
    throw error;
  }
  const latencyMs = deps.clock() - started;
  try {
    const logged = recordAnswer(deps, { endpoint, route, request, rows, at, latencyMs }, answer);
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
  const { mirror, variant: served } = route;
  const afterwards =
    mirror && (() => deps.mirrors.offer({ endpoint, mirror, served, body: input.body, request, rows, meter }));
  const binary = binaryOutputs(input.body, outputs.length);
  if (!binary) return { body: encodeInferAnswer(content), headers: jsonHeaders, afterwards };
  const { body, headerLength } = encodeBinaryAnswer(content, binary);
  const headers = ['content-type', 'application/octet-stream', jsonLength, String(headerLength)];
  return { body, headers, afterwards };
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

type Recorded = {
  readonly endpoint: Endpoint;
  readonly route: Route;
  readonly request: InferRequest;
  readonly rows: readonly RequestRow[];
  readonly at: number;
  readonly latencyMs: number;
};

/** @returns when it is on the disk, where the log is to be waited for */
function recordAnswer(deps: PredictDeps, recorded: Recorded, answer: ModelAnswer): Promise<unknown> | undefined {
  const { endpoint, route, request, rows, at } = recorded;
  if (!isWanted(deps, endpoint)) return undefined;
  const { lines, cells, signature } = route.variant;
  const latencyMs = loggedLatency(recorded.latencyMs);
  const { outputs, batchRows, row: first } = answer;
  const written: string[] = [];
  const counts: LineCount[] = [];
  for (let row = 0; row < rows.length; row++) {
    const facts = rows[row] as RequestRow; // row < length
    const score = scoreOf(answer, signature.score, row, rows.length);
    const batch = { rows: batchRows, row: first + row };
    written.push(lines.answered(route.head, request, { ...facts, at, latencyMs, row, outputs, score, batch }));
    const own = cells.answered(request, row, score);
    counts.push({ source: route.source, eventTime: facts.eventTime, latencyMs, isError: false, cells: own });
  }
  return append(deps, recorded, written, counts);
}

function recordFailure(deps: PredictDeps, recorded: Recorded, errorCode: string): Promise<unknown> | undefined {
  const { endpoint, route, request, rows, at } = recorded;
  if (!isWanted(deps, endpoint)) return undefined;
  const { lines, cells } = route.variant;
  const latencyMs = loggedLatency(recorded.latencyMs);
  const failure = { at, latencyMs, errorCode };
  const written = rows.map((facts, row) => lines.failed(route.head, request, { ...facts, ...failure, row }));
  const counts = rows.map(({ eventTime }, row) => {
    return { source: route.source, eventTime, latencyMs, isError: true, cells: cells.failed(request, row) };
  });
  return append(deps, recorded, written, counts);
}

const isWanted = ({ random }: PredictDeps, { log }: Endpoint): boolean =>
  typeof log === 'string' || random() < log.sampled;

function append(
  { log }: PredictDeps,
  { endpoint, rows, at }: Recorded,
  lines: readonly string[],
  counts: readonly LineCount[],
): Promise<unknown> | undefined {
  let eventTime = Number.NEGATIVE_INFINITY;
  for (const row of rows) eventTime = Math.max(eventTime, row.eventTime);
  if (endpoint.log === 'durable') return log.append(endpoint.name, lines, { at, eventTime, counts });
  log.appendLater(endpoint.name, lines, { at, eventTime, counts });
  return undefined;
}

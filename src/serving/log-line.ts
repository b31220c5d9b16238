/**
 * Records as lines of the log. A line leaves the main thread without its number and its first brace: the log thread puts `{"seq":n,`
 * in front when it knows the number.
 */
import type { Endpoint } from './endpoint.ts';
import type { ModelSignature } from './model-signature.ts';
import type { InferRequest } from './open-inference.ts';
import type { LogRecord, Role } from './prediction.ts';
import type { RawValues, TensorData } from './tensor.ts';
import type { VersionRef } from './traffic.ts';

/** Rows wider than this are not written down, and so cannot be replayed. */
export const maxLoggedWidth = 1_024;

export const completeLine = (seq: number, line: string): string => `{"seq":${seq},${line}`;

/** A complete line as it was written. The endpoint is the folder's, not repeated in every line. */
export function parseLine(endpoint: string, line: string): LogRecord {
  const record = JSON.parse(line) as { endpoint: string }; // written by this file only
  record.endpoint = endpoint;
  return record as LogRecord;
}

/** What is the same in every line under one plan. */
export type LineHead = {
  readonly role: Role;
  readonly served: VersionRef;
  readonly generation: number;
  readonly rollout?: string | undefined;
};

export function compileHead({ role, served, generation, rollout }: LineHead): string {
  const head = `"role":"${role}","model":${JSON.stringify(served.model)},"version":${served.version},"generation":${generation},`;
  return rollout === undefined ? head : `${head}"rollout":${JSON.stringify(rollout)},`;
}

export type LoggedOutputs = readonly { readonly data: TensorData }[];

export type PredictionFacts = {
  readonly id: string;
  readonly unit: string;
  readonly key: string | undefined;
  readonly at: number;
  readonly eventTime: number;
  readonly latencyMs: number;
};

export type AnsweredRow = PredictionFacts & {
  readonly row: number;
  readonly outputs: LoggedOutputs;
  readonly score: number | undefined;
  readonly batch: { readonly rows: number; readonly row: number };
};

export type LineWriter = {
  answered(head: string, request: InferRequest, answer: AnsweredRow): string;
  failed(
    head: string,
    request: InferRequest,
    facts: PredictionFacts & { readonly row: number; readonly errorCode: string },
  ): string;
};

/** Text is put together by hand: the names are known, and the general way costs more than the model. */
export function compileLines(endpoint: Endpoint, signature: ModelSignature): LineWriter {
  const inputs = signature.inputs.map(({ name }, index) => ({
    index,
    names: cellNames(name, signature.widths[index] ?? -1),
    name,
  }));
  const extras = (['key', 'time', 'assign'] as const).flatMap((extra) => {
    const name = endpoint[extra];
    return name === undefined || signature.inputIndex.has(name) ? [] : [{ extra, name: `${JSON.stringify(name)}:` }];
  });
  const outputNames = signature.outputs.map(({ name }) => `${JSON.stringify(name)}:`);

  const inputsOf = (request: InferRequest, row: number): string => {
    let text = '';
    for (const { index, names, name } of inputs) {
      const values = request.values[index] as RawValues; // one per input
      const width = signature.batchable ? names.length : values.length;
      if (width > maxLoggedWidth || names.length > maxLoggedWidth) continue;
      // A model that takes no batches may have a free size: its cells are named as they come.
      const cells = names.length === width ? names : cellNames(name, width);
      for (let cell = 0; cell < width; cell++) {
        text += `${text === '' ? '' : ','}${cells[cell]}${scalar(values[row * width + cell])}`;
      }
    }
    for (const { extra, name } of extras) {
      const value = request.extras[extra]?.[row];
      if (value !== undefined) text += `${text === '' ? '' : ','}${name}${scalar(value)}`;
    }
    return text;
  };

  const facts = ({ id, unit, key, at, eventTime, latencyMs }: PredictionFacts): string => {
    const keyed = key === undefined ? '' : `"key":${JSON.stringify(key)},`;
    // Microseconds are what the clock is good for.
    const latency = Math.round(latencyMs * 1_000) / 1_000;
    return `"kind":"prediction","at":${at},"eventTime":${eventTime},"id":"${id}",${keyed}"unit":${JSON.stringify(unit)},"latencyMs":${latency},`;
  };

  return {
    answered(head, request, answer) {
      const { row, outputs, score, batch } = answer;
      let text = `${facts(answer)}${head}"outcome":"ok","inputs":{${inputsOf(request, row)}},"outputs":{`;
      for (let index = 0; index < outputs.length; index++) {
        const { data } = outputs[index] as { data: TensorData }; // index < length
        const width = data.length / request.rows;
        text += `${index === 0 ? '' : ','}${outputNames[index]}`;
        if (width === 1) text += scalar(data[row]);
        else {
          text += '[';
          for (let cell = 0; cell < width; cell++)
            text += `${cell === 0 ? '' : ','}${scalar(data[row * width + cell])}`;
          text += ']';
        }
      }
      text += score === undefined ? '}' : `},"score":${score}`;
      return `${text},"batch":{"rows":${batch.rows},"row":${batch.row}}}`;
    },
    failed(head, request, failure) {
      const { row, errorCode } = failure;
      return `${facts(failure)}${head}"outcome":"error","errorCode":"${errorCode}","inputs":{${inputsOf(request, row)}},"outputs":{}}`;
    },
  };
}

export type MirrorFacts = {
  readonly predictionId: string;
  readonly key: string | undefined;
  readonly rollout: string;
  readonly role: Role;
  readonly version: VersionRef;
  readonly at: number;
  readonly eventTime: number;
  readonly latencyMs: number;
  readonly outcome: 'ok' | 'error';
  readonly score: number | undefined;
};

export function mirrorLine({ version, latencyMs, ...facts }: MirrorFacts): string {
  const rest = {
    ...facts,
    model: version.model,
    version: version.version,
    latencyMs: Math.round(latencyMs * 1_000) / 1_000,
  };
  return `"kind":"mirror",${JSON.stringify(rest).slice(1)}`;
}

export function labelLine(label: {
  readonly key: string;
  readonly value: number | string;
  readonly at: number;
  readonly eventTime: number;
}): string {
  return `"kind":"label",${JSON.stringify(label).slice(1)}`;
}

function cellNames(name: string, width: number): readonly string[] {
  if (width === 1) return [`${JSON.stringify(name)}:`];
  return Array.from({ length: Math.max(0, width) }, (_, cell) => `${JSON.stringify(`${name}[${cell}]`)}:`);
}

/** Integers that a JSON reader would round are written as strings; `replay` reads them back exactly. */
function scalar(value: RawValues[number] | undefined): string {
  switch (typeof value) {
    case 'number':
      return Number.isNaN(value) ? 'null' : `${value}`;
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? `${value}` : `"${value}"`;
    default:
      return value === true ? 'true' : value === false ? 'false' : 'null';
  }
}

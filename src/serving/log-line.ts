/**
 * Records as lines of the log. A line leaves the main thread without its number and its first brace: the log thread puts `{"seq":n,`
 * in front when it knows the number.
 */
import type { Endpoint } from './endpoint.ts';
import { extraNames, type ModelSignature } from './model-signature.ts';
import type { InferRequest } from './open-inference.ts';
import type { LabelRecord, LogRecord, MirrorRecord, PredictionRecord, Role, Scalar } from './prediction.ts';
import type { RawValues, TensorData } from './tensor.ts';
import type { VersionRef } from './traffic.ts';

/** Rows wider than this are not written down, and so cannot be replayed. */
export const maxLoggedWidth = 1_024;

export const completeLine = (seq: number, line: string): string => `{"seq":${seq},${line}`;

/**
 * A complete line as a record. In the line the endpoint is left out, since it is the folder's, and an input with several values a row
 * is an array, which is half as long; in the record its cells have names.
 */
export function parseLine(endpoint: string, line: string): LogRecord {
  const record = readLine(line) as { endpoint?: string; inputs?: Record<string, unknown> };
  record.endpoint = endpoint;
  const { inputs } = record;
  for (const name in inputs) {
    const cells = inputs[name];
    if (!Array.isArray(cells)) continue;
    delete inputs[name];
    const names = cellNames(name, cells.length);
    for (let cell = 0; cell < cells.length; cell++) inputs[names[cell] as string] = cells[cell]; // as many names as cells
  }
  return record as LogRecord;
}

/** A complete line as it is written, for those who count thousands a second: `parseLine` takes twice as long. */
export const readLine = (line: string): LoggedLine => JSON.parse(line) as LoggedLine; // written by this file only

/** A record as its line has it: without its endpoint, and an input with several values a row as one array. */
export type LoggedLine =
  | Omit<LabelRecord, 'endpoint'>
  | Omit<MirrorRecord, 'endpoint'>
  | (Omit<PredictionRecord, 'endpoint' | 'inputs'> & { readonly inputs: LoggedInputs });

export type LoggedInputs = Readonly<Record<string, Scalar | readonly Scalar[]>>;

/** Which cell of which input a name of a record means; no cell: the input itself. */
export function cellPlace(name: string): { readonly input: string; readonly cell?: number } {
  const [, input, place] = /^(.*)\[(\d+)\]$/s.exec(name) ?? [];
  return input === undefined ? { input: name } : { input, cell: Number(place) };
}

/** How many values of an input one row has. */
export const rowWidth = ({ batchable }: ModelSignature, { rows }: InferRequest, values: RawValues): number =>
  batchable ? values.length / rows : values.length;

/** How to read one cell of a row by the name that it has in records. */
export function cellReader(name: string): (inputs: LoggedInputs) => Scalar | undefined {
  const { input, cell = Number.NaN } = cellPlace(name);
  return (inputs) => {
    const own = inputs[name];
    if (own !== undefined && typeof own !== 'object') return own;
    const cells = inputs[input];
    return Array.isArray(cells) ? cells[cell] : null;
  };
}

const knownNames = new Map<string, readonly string[]>();

/** `name[0]`, `name[1]`, …; made once, since every record of an endpoint has the same. */
function cellNames(name: string, width: number): readonly string[] {
  const known = knownNames.get(name);
  if (known?.length === width) return known;
  const names = Array.from({ length: width }, (_, cell) => `${name}[${cell}]`);
  knownNames.set(name, names);
  return names;
}

/** What is the same in every line under one plan. */
export type LineHead = {
  readonly role: Role;
  readonly served: VersionRef;
  readonly generation: number;
  readonly rollout?: string | undefined;
  /** `runtimeId` */
  readonly runtime: string;
};

export function compileHead({ role, served, generation, rollout, runtime }: LineHead): string {
  const head = `"role":"${role}","model":${JSON.stringify(served.model)},"version":${served.version},"generation":${generation},"runtime":"${runtime}",`;
  return rollout === undefined ? head : `${head}"rollout":${JSON.stringify(rollout)},`;
}

export type LoggedOutputs = readonly { readonly data: TensorData }[];

/** Microseconds are what the clock is good for. */
export const loggedLatency = (latencyMs: number): number => Math.round(latencyMs * 1_000) / 1_000;

export type PredictionFacts = {
  readonly id: string;
  readonly unit: string;
  readonly key: string | undefined;
  readonly at: number;
  readonly eventTime: number;
  /** `loggedLatency` */
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
  const inputs = signature.inputs.map(({ name }, index) => ({ index, name: `${JSON.stringify(name)}:` }));
  const logged = extraNames.flatMap((extra) => {
    const name = endpoint[extra];
    return name === undefined || signature.inputIndex.has(name) ? [] : [{ extra, name: `${JSON.stringify(name)}:` }];
  });
  const outputNames = signature.outputs.map(({ name }) => `${JSON.stringify(name)}:`);

  const inputsOf = (request: InferRequest, row: number): string => {
    let text = '';
    for (const { index, name } of inputs) {
      const values = request.values[index] as RawValues; // one per input
      const width = rowWidth(signature, request, values);
      if (width > maxLoggedWidth) continue;
      text += `${text === '' ? '' : ','}${name}${width === 1 ? scalar(values[row]) : cellsOf(values, row * width, width)}`;
    }
    for (const { extra, name } of logged) {
      const value = request.extras[extra]?.[row];
      if (value !== undefined) text += `${text === '' ? '' : ','}${name}${scalar(value)}`;
    }
    return text;
  };

  const facts = ({ id, unit, key, at, eventTime, latencyMs }: PredictionFacts): string => {
    // Without names of their own both are the id, which needs no escaping.
    const keyed = key === undefined ? '' : key === id ? `"key":"${id}",` : `"key":${JSON.stringify(key)},`;
    const assigned = unit === id ? `"${id}"` : JSON.stringify(unit);
    return `"kind":"prediction","at":${at},"eventTime":${eventTime},"id":"${id}",${keyed}"unit":${assigned},"latencyMs":${latencyMs},`;
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
  /** `loggedLatency` */
  readonly latencyMs: number;
  readonly outcome: 'ok' | 'error';
  readonly errorCode: string | undefined;
  readonly score: number | undefined;
};

export function mirrorLine({ version, latencyMs, ...facts }: MirrorFacts): string {
  const rest = { ...facts, model: version.model, version: version.version, latencyMs };
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

function cellsOf(values: RawValues, start: number, width: number): string {
  const row =
    values.length === width && Array.isArray(values)
      ? values
      : Array.from({ length: width }, (_, cell) => values[start + cell]);
  return row.some((value) => typeof value === 'bigint') ? `[${row.map(scalar).join(',')}]` : JSON.stringify(row);
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

/** What a model file is, told by a process that reads it and runs it once: the file may be hostile, large, or the end of whoever loads it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type Finding, refuse, warn } from '../onnx/finding.ts';
import type { TensorSpec } from './tensor.ts';

export type ModelToExamine = {
  readonly path: string;
  /** The version's other files, path below the model's folder to size. */
  readonly beside: ReadonlyMap<string, number>;
};

export type Examination = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly findings: readonly Finding[];
};

/** What the examiner says: first what the bytes say, then what the runtime says, if it was asked. */
export type FromExaminer =
  | ({ readonly kind: 'inspected' } & Examination)
  | { readonly kind: 'tried'; readonly findings: readonly Finding[] };

export type ExaminerOptions = {
  /** Starts the examiner with an IPC channel and a pipe for its standard error. */
  readonly spawn: () => ChildProcess;
  readonly timeoutMs?: number;
};

/** One file at a time, since each may take as much memory as it is large. */
export class ModelExaminer implements AsyncDisposable {
  readonly #options: ExaminerOptions;
  #last: Promise<unknown> = Promise.resolve();
  #child: ChildProcess | undefined;

  constructor(options: ExaminerOptions) {
    this.#options = options;
  }

  /** Whatever is wrong with the file is a finding. */
  examine(model: ModelToExamine): Promise<Examination> {
    const examined = this.#last.then(() => this.#run(model));
    this.#last = examined.catch(() => undefined);
    return examined;
  }

  async #run(model: ModelToExamine): Promise<Examination> {
    const { spawn, timeoutMs = 120_000 } = this.#options;
    const child = spawn();
    this.#child = child;
    let inspected: Examination | undefined;
    let tried: readonly Finding[] | undefined;
    let said = '';
    child.on('message', (message: FromExaminer) => {
      if (message.kind === 'inspected') inspected = message;
      else tried = message.findings;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < mostSaid) said += text;
    });
    // A failing send means that it is going; its end says why.
    child.send(model, () => {});
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const how: string = await once(child, 'close').then(
      ([code, signal]) => signal ?? `exit code ${code}`,
      (error: Error) => error.message, // it did not even start
    );
    clearTimeout(late);
    this.#child = undefined;
    if (!inspected) {
      const finding = refuse('onnx/not-examined', `It could not be read: the process that read it ended with ${how}.`);
      return { inputs: [], outputs: [], findings: [finding] };
    }
    const { inputs, outputs, findings } = inspected;
    if (findings.some(({ severity }) => severity === 'refuse')) return { inputs, outputs, findings };
    const died = refuse(
      'onnx/ends-the-runtime',
      `The runtime did not survive loading it and running it once: it ended with ${how}.`,
      'look whether it needs more memory or time than a server has',
    );
    return { inputs, outputs, findings: [...findings, ...(tried ?? [died]), ...warningsIn(said)] };
  }

  /** Ends what runs; whoever waits for it gets a finding that nobody saves any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#last;
  }
}

const mostSaid = 65_536;
const mostWarnings = 20;

/** Tells what the runtime says about a model from what it says about the machine. */
export const modelLogId = 'model';

/** onnxruntime writes `[W:onnxruntime:<log id>, <file>:<line> <function>] <text>`, in colours. */
function warningsIn(said: string): readonly Finding[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours begin with one
  const lines = said.replace(/\u001b\[[\d;]*m/g, '').split('\n');
  const texts = lines.flatMap((line) => warningLine.exec(line)?.[1] ?? []);
  return [...new Set(texts)].slice(0, mostWarnings).map((text) => warn('onnx/runtime-warning', text.slice(0, 500)));
}

const warningLine = new RegExp(`\\[W:onnxruntime:${modelLogId}, [^\\]]*\\] (.+)$`);

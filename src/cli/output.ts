/** What a command says: its result on stdout and nothing else there; progress, hints and errors on stderr. */
import { styleText } from 'node:util';
import { PlatformError } from '../errors.ts';

export type OutputOptions = { readonly json: boolean; readonly quiet: boolean; readonly color: boolean };

type Style = Parameters<typeof styleText>[0];
type Stream = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };

export class Output {
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  #options: OutputOptions = { json: false, quiet: false, color: true };
  #progress = '';

  constructor(stdout: Stream, stderr: Stream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  configure(options: OutputOptions): void {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json;
  }

  /** Whether somebody looks on who can answer a question. */
  get interactive(): boolean {
    return this.#stdout.isTTY === true && this.#stderr.isTTY === true && !this.#options.json;
  }

  /** The one result: `value` as a JSON document with --json, otherwise what `render` makes of it. */
  result<T>(value: T, render: (value: T) => string): void {
    this.#clearProgress();
    const text = this.#options.json ? JSON.stringify(value, null, 2) : render(value);
    if (text !== '') this.#stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** One of many results as they come: a line of NDJSON with --json. */
  line<T>(value: T, render: (value: T) => string): void {
    this.#clearProgress();
    this.#stdout.write(`${this.#options.json ? JSON.stringify(value) : render(value)}\n`);
  }

  hint(text: string): void {
    if (this.#options.quiet) return;
    this.#clearProgress();
    this.#stderr.write(`${this.style('dim', text)}\n`);
  }

  /** A line that stays, beside the result: what a long command has done so far. */
  say(text: string): void {
    if (this.#options.quiet) return;
    this.#clearProgress();
    this.#stderr.write(`${text}\n`);
  }

  /** Redrawn in place for people, a line per change for logs. */
  progress(text: string): void {
    if (this.#options.quiet || text === this.#progress) return;
    if (this.#stderr.isTTY) {
      const width = this.#stderr.columns ?? 80;
      this.#stderr.write(`\r\u001b[K${text.slice(0, width - 1)}`);
    } else this.#stderr.write(`${text}\n`);
    this.#progress = text;
  }

  /** As a form: code, what happened, what to do. @returns the exit code */
  error(error: PlatformError): number {
    this.#clearProgress();
    if (this.#options.json) {
      const { code, message, hint, at, data } = error;
      this.#stderr.write(
        `${JSON.stringify({ error: { code, message, fix: hint, errors: at, data, exit: error.exit } })}\n`,
      );
      return error.exit;
    }
    const lines = [`${this.style('red', `error[${error.code}]`)}: ${error.message}`];
    for (const { pointer, message } of error.at ?? []) lines.push(`  ${pointer === '' ? '/' : pointer}: ${message}`);
    const why = reasonOf(error);
    if (why !== undefined) lines.push(`  why: ${why}`);
    if (error.hint !== undefined) lines.push(`  ${this.style('bold', 'fix')}: ${error.hint}`);
    this.#stderr.write(`${lines.join('\n')}\n`);
    return error.exit;
  }

  style(style: Style, text: string): string {
    return this.#options.color && this.#stdout.isTTY ? styleText(style, text) : text;
  }

  #clearProgress(): void {
    if (this.#progress !== '' && this.#stderr.isTTY) this.#stderr.write('\r\u001b[K');
    this.#progress = '';
  }
}

/** The cause in a line, where it adds something. */
function reasonOf({ cause, message }: PlatformError): string | undefined {
  if (
    !(cause instanceof Error) ||
    cause instanceof PlatformError ||
    cause.message === '' ||
    message.includes(cause.message)
  )
    return undefined;
  return cause.message.split('\n', 1)[0];
}

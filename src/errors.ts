/** The catalogue of everything that can go wrong in a way its caller can act on. */

/** `status` is what HTTP answers, `exit` what a command exits with, `says` the sentence about the subject. */
type ErrorKind = { readonly status: number; readonly exit?: number; readonly says: (subject: string) => string };

/** Codes are `<folder>/<what>`; docs/reference/errors.md is generated from this table. Keep each folder's codes together. */
export const errorCatalogue = {
  'http/not-found': { status: 404, says: (subject) => `There is nothing at ${subject}.` },
  'http/bad-request': { status: 400, exit: 2, says: (subject) => `The request is not valid: ${subject}.` },
  'http/forbidden': { status: 403, exit: 4, says: (subject) => `You may not ${subject}.` },
  'http/unauthenticated': { status: 401, exit: 4, says: (subject) => `Sign in to ${subject}.` },
  'http/conflict': { status: 409, says: (subject) => `${subject} was changed by somebody else.` },
  'http/too-large': { status: 413, says: (subject) => `The body is larger than ${subject}.` },
  'http/unavailable': { status: 503, says: (subject) => `${subject} is not available now.` },
  'http/internal': { status: 500, says: (subject) => `Something failed that should not have: ${subject}.` },

  'jobs/not-found': { status: 404, says: (subject) => `There is no operation ${subject}.` },
  'jobs/failed': { status: 500, says: (subject) => `The job ${subject} failed.` },
  'jobs/crashed': { status: 500, says: (subject) => `The worker process died while it ran ${subject}.` },
  'jobs/cancelled': { status: 409, says: (subject) => `${subject} was cancelled.` },
  'jobs/already-ended': { status: 409, says: (subject) => `The operation ${subject} has already ended.` },
  'jobs/given-up': { status: 500, says: (subject) => `${subject} was started several times and never came to an end.` },
  'jobs/unknown-kind': { status: 500, says: (subject) => `This worker knows no job of kind ${subject}.` },
  'jobs/not-a-child': {
    status: 500,
    exit: 2,
    says: (subject) => `\`rondo ${subject}\` is started by the server, not by hand.`,
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

type Details = {
  /** Replaces the catalogue's sentence where a more exact one is known. */
  readonly message?: string;
  /** What to do about it, as an instruction. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The places in the input that are wrong, as JSON Pointers. */
  readonly at?: readonly { readonly pointer: string; readonly message: string }[];
  /** Facts for the caller, shown as they are: never internals. */
  readonly data?: Readonly<Record<string, unknown>>;
};

/** An error that its caller can act on. @param subject the thing it happened to, as the catalogue's sentence wants it */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly subject: string;
  readonly hint: string | undefined;
  readonly at: Details['at'];
  readonly data: Details['data'];

  constructor(code: ErrorCode, subject: string, details: Details = {}) {
    super(
      details.message ?? errorCatalogue[code].says(subject),
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = 'PlatformError';
    this.code = code;
    this.subject = subject;
    this.hint = details.hint;
    this.at = details.at;
    this.data = details.data;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  /** Exit codes: 1 failed, 2 usage, 3 a gate says no, 4 not allowed, 5 undecided, 6 not reachable. */
  get exit(): number {
    const kind: ErrorKind = errorCatalogue[this.code];
    return kind.exit ?? 1;
  }
}

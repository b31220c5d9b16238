/** Errors as MLflow's clients read them: `{"error_code", "message"}` and the status that belongs to the code. */
import { errorCatalogue, type ErrorCode as PlatformCode, type PlatformError } from '../errors.ts';
import { groupOf } from './left-out.ts';

export type MlflowErrorCode = keyof typeof statuses;

export type MlflowAnswer = {
  readonly status: number;
  readonly body: {
    readonly error_code: MlflowErrorCode;
    readonly message: string;
    readonly sqlstate?: string;
    readonly error_class?: string;
  };
};

/** @param path of the request, to say which group of routes is left out */
export function renderMlflowError(error: PlatformError, path: string): MlflowAnswer {
  if (error.code === 'http/not-found') return endpointNotFound(path);
  const rendered = answer(codeOf(error), wordsOf(error));
  return error.code === 'http/method-not-allowed' ? { ...rendered, status: 405 } : rendered; // no code of upstream's has it
}

/** The client falls back to older routes only on this code. */
export function endpointNotFound(path: string): MlflowAnswer {
  const group = groupOf(path);
  const message = group
    ? `${group} are not part of this server: it keeps experiments, runs, models and their artifacts.`
    : `There is no endpoint ${path} here.`;
  return answer('ENDPOINT_NOT_FOUND', message);
}

const answer = (code: MlflowErrorCode, message: string): MlflowAnswer => ({
  status: statuses[code],
  body: { error_code: code, message, ...classes[code] },
});

/** Upstream's codes; its clients retry 408, 429 and 5xx, so a client's mistake must never get one of those. */
const statuses = {
  BAD_REQUEST: 400,
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_CONFLICT: 409,
  REQUEST_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  RESOURCE_LIMIT_EXCEEDED: 507, // clients do not send a file again that has no room
} as const;

/** Upstream's finer names, which its clients pass on to their users. */
const classOf = (sqlstate: string, error_class: string) => ({ sqlstate, error_class });
const classes: Partial<Record<MlflowErrorCode, ReturnType<typeof classOf>>> = {
  BAD_REQUEST: classOf('KAM00', 'INVALID_PARAMETER_VALUE'),
  INVALID_PARAMETER_VALUE: classOf('KAM00', 'INVALID_PARAMETER_VALUE'),
  RESOURCE_ALREADY_EXISTS: classOf('KAM00', 'RESOURCE_ALREADY_EXISTS'),
  PERMISSION_DENIED: classOf('KAM00', 'PERMISSION_DENIED'),
  RESOURCE_DOES_NOT_EXIST: classOf('KAM00', 'RESOURCE_NOT_FOUND'),
  ENDPOINT_NOT_FOUND: classOf('KAM00', 'RESOURCE_NOT_FOUND'),
  INTERNAL_ERROR: classOf('XXM00', 'CLIENT_INTERNAL_ERROR'),
  TEMPORARILY_UNAVAILABLE: classOf('XXM00', 'CLIENT_INTERNAL_ERROR'),
};

const byStatus: Readonly<Record<number, MlflowErrorCode>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  409: 'RESOURCE_CONFLICT',
  429: 'REQUEST_LIMIT_EXCEEDED',
  503: 'TEMPORARILY_UNAVAILABLE',
  507: 'TEMPORARILY_UNAVAILABLE', // a full disk: clients try again
};

/** Where the code says more than the status. */
const byCode: Partial<Record<PlatformCode, MlflowErrorCode>> = {
  'mlflow/bad-request': 'INVALID_PARAMETER_VALUE',
  'mlflow/not-implemented': 'NOT_IMPLEMENTED',
  'tracking/invalid': 'INVALID_PARAMETER_VALUE',
  'tracking/invalid-filter': 'INVALID_PARAMETER_VALUE',
  'tracking/not-active': 'INVALID_PARAMETER_VALUE',
  'tracking/param-changed': 'INVALID_PARAMETER_VALUE',
  'tracking/experiment-exists': 'RESOURCE_ALREADY_EXISTS',
  'tracking/name-taken': 'BAD_REQUEST',
  'registry/invalid': 'INVALID_PARAMETER_VALUE',
  'notify/invalid': 'INVALID_PARAMETER_VALUE',
  'registry/model-exists': 'RESOURCE_ALREADY_EXISTS',
  'registry/alias-not-found': 'INVALID_PARAMETER_VALUE',
  'storage/bad-key': 'INVALID_PARAMETER_VALUE',
  'storage/bad-upload': 'INVALID_PARAMETER_VALUE',
  'storage/disk-full': 'RESOURCE_LIMIT_EXCEEDED',
  'storage/foreign-location': 'INVALID_PARAMETER_VALUE',
  'storage/outside-root': 'INVALID_PARAMETER_VALUE',
  'storage/key-taken': 'INVALID_PARAMETER_VALUE',
};

const codeOf = (error: PlatformError): MlflowErrorCode =>
  byCode[error.code] ?? byStatus[error.status] ?? (error.status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR');

/** What upstream says in place of the catalogue: its clients look for these words. */
const words: Partial<Record<PlatformCode, (subject: string) => string>> = {
  'tracking/experiment-not-found': (id) => `No Experiment with id=${id} exists`,
  'tracking/run-not-found': (id) => `Run with id=${id} not found`,
  'notify/webhook-not-found': (id) => `Webhook with ID ${id} not found.`,
  'registry/model-not-found': (name) => `Registered Model with name=${name} not found`,
  'registry/version-not-found': (version) => {
    const at = version.lastIndexOf('@');
    return `Model Version (name=${version.slice(0, at)}, version=${version.slice(at + 1)}) not found`;
  },
};

function wordsOf({ code, subject, message }: PlatformError): string {
  return (message === errorCatalogue[code].says(subject) ? words[code]?.(subject) : undefined) ?? message;
}

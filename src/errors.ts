/** The catalogue of everything that can go wrong in a way its caller can act on. */

/** `status` is what HTTP answers, `exit` what a command exits with, `says` the sentence about the subject, `fix` what helps as a rule. */
type ErrorKind = {
  readonly status: number;
  readonly exit?: number;
  readonly says: (subject: string) => string;
  readonly fix?: string;
};

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
  'http/method-not-allowed': {
    status: 405,
    says: (subject) => `${subject} does not exist; the address has other methods.`,
  },
  'http/unsupported-media-type': { status: 415, says: (subject) => `${subject} does not read a body of this type.` },
  'http/too-many-attempts': { status: 429, exit: 4, says: (subject) => `Too many failed sign-ins from ${subject}.` },
  'http/wrong-host': { status: 403, exit: 4, says: (subject) => `This server does not answer to the host ${subject}.` },
  'http/cross-origin': { status: 403, exit: 4, says: (subject) => `Changes are not taken from ${subject}.` },
  'http/undeclared-route': { status: 500, says: (subject) => `The route ${subject} does not say who may call it.` },
  'http/port-in-use': { status: 500, says: (subject) => `${subject} is in use.` },
  'http/cannot-listen': { status: 500, says: (subject) => `The server cannot listen on ${subject}.` },
  'http/no-administrator': {
    status: 500,
    exit: 4,
    says: (subject) => `${subject} can be reached by others, and there is no administrator yet.`,
  },
  'http/user-exists': { status: 409, says: (subject) => `There is already a user ${subject}.` },
  'http/user-not-found': {
    status: 404,
    says: (subject) => `There is no user ${subject}.`,
    fix: '`rondo users list` shows who there is',
  },
  'http/token-not-found': {
    status: 404,
    says: (subject) => `There is no token ${subject}.`,
    fix: '`rondo users list` shows the tokens with their ids',
  },
  'http/last-administrator': { status: 409, says: (subject) => `${subject} is the last administrator.` },
  'http/weak-password': { status: 400, exit: 2, says: (subject) => `The password of ${subject} is too short.` },
  'http/beyond-role': {
    status: 403,
    exit: 4,
    says: (subject) => `Nobody can give away more than they may do themselves: ${subject}.`,
  },

  'config/invalid': { status: 400, exit: 2, says: (subject) => `The setting ${subject} is not valid.` },

  'cli/usage': { status: 400, exit: 2, says: (subject) => `The command line is not complete: ${subject}.` },
  'cli/unreachable': { status: 503, exit: 6, says: (subject) => `No server answers at ${subject}.` },
  'cli/no-server': {
    status: 503,
    exit: 6,
    says: (subject) => `No server runs, and there is no data folder ${subject}.`,
  },
  'cli/timeout': { status: 504, exit: 6, says: (subject) => `${subject} takes longer than --timeout allows.` },

  'storage/cannot-open': { status: 500, says: (subject) => `${subject} cannot be opened as a database.` },
  'storage/unreadable-file': {
    status: 500,
    says: (subject) => `${subject} cannot be read.`,
    fix: 'start the server: it writes it anew',
  },
  'storage/unreachable': { status: 503, exit: 6, says: (subject) => `${subject} does not answer.` },
  'storage/newer-data': { status: 500, says: (subject) => `The data was written by a newer version (${subject}).` },
  'storage/folder-in-use': {
    status: 500,
    says: (subject) => `The data folder ${subject} is already in use.`,
  },
  'storage/read-only': { status: 507, says: (subject) => `The disk of ${subject} is full: nothing can be written.` },
  'storage/broken': {
    status: 503,
    says: (subject) => `The disk of ${subject} has failed: nothing is written any more.`,
  },
  'storage/nul-in-text': { status: 400, exit: 2, says: (subject) => `There is a NUL character in ${subject}.` },
  'storage/bad-key': { status: 400, exit: 2, says: (subject) => `${subject} is not a path of an artifact.` },
  'storage/key-taken': { status: 409, says: (subject) => `A file or a folder stands in the way of ${subject}.` },
  'storage/disk-full': {
    status: 507,
    says: (subject) => `The disk of this server is full: it has no room for ${subject}.`,
    fix: 'make room, and send it again: nothing of it was kept',
  },
  'storage/bad-upload': { status: 400, says: (subject) => `The upload of ${subject} cannot be completed.` },
  'storage/bucket-refused': {
    status: 500,
    says: (subject) => `The bucket ${subject} refuses this server.`,
    fix: 'look at the AWS_… variables of the server, and at what they may do there',
  },
  'storage/foreign-location': {
    status: 400,
    says: (subject) =>
      `${subject} is neither below --artifacts-destination nor below --default-artifact-root of this server.`,
    fix: 'read it with a client that reaches it, or start the server with one of these above it',
  },
  'storage/no-folder': { status: 500, exit: 2, says: (subject) => `Artifacts cannot be kept in ${subject}.` },
  'storage/outside-root': { status: 400, says: (subject) => `${subject} leads out of the artifact folder.` },
  'storage/blob-changed': { status: 500, says: (subject) => `The stored bytes of ${subject} are not what they were.` },
  'storage/bad-range': { status: 416, says: (subject) => `There are no bytes ${subject}.` },

  'events/too-large': { status: 413, says: (subject) => `The event ${subject} is larger than 65,535 bytes.` },
  'events/log-changed': { status: 500, says: (subject) => `The event log was changed: ${subject}.` },
  'events/checkpoint-forged': { status: 500, says: (subject) => `${subject} was not signed by the key it names.` },
  'events/no-entry': { status: 404, says: (subject) => `The event log has no entry ${subject}.` },

  'tracking/invalid': { status: 400, exit: 2, says: (subject) => `The value of ${subject} is not valid.` },
  'tracking/invalid-filter': { status: 400, exit: 2, says: (subject) => `The filter cannot be read: ${subject}.` },
  'tracking/not-active': { status: 409, says: (subject) => `${subject} is deleted.` },
  'tracking/param-changed': { status: 409, says: (subject) => `The param ${subject} was logged with another value.` },
  'tracking/experiment-exists': { status: 409, says: (subject) => `Experiment(name=${subject}) already exists.` },
  'tracking/name-taken': { status: 409, says: (subject) => `Another experiment is named ${subject}.` },
  'tracking/experiment-not-found': {
    status: 404,
    says: (subject) => `There is no experiment ${subject}.`,
    fix: '`rondo runs` lists runs of every experiment',
  },
  'tracking/run-not-found': {
    status: 404,
    says: (subject) => `There is no run ${subject}.`,
    fix: '`rondo runs` lists the runs with their ids',
  },
  'tracking/model-not-found': { status: 404, says: (subject) => `There is no logged model ${subject}.` },
  'tracking/unknown-model': {
    status: 400,
    says: (subject) => `A metric is of the logged model ${subject}, which is not there.`,
  },
  'tracking/tag-not-found': { status: 404, says: (subject) => `There is no tag ${subject}.` },
  'tracking/artifact-not-found': { status: 404, says: (subject) => `There is no artifact ${subject}.` },

  'registry/invalid': { status: 400, exit: 2, says: (subject) => `The value of ${subject} is not valid.` },
  'registry/model-exists': { status: 409, says: (subject) => `Registered Model (name=${subject}) already exists.` },
  'registry/model-not-found': {
    status: 404,
    says: (subject) => `There is no model ${subject}.`,
    fix: '`rondo models` lists the models',
  },
  'registry/version-not-found': {
    status: 404,
    says: (subject) => `There is no version ${subject}.`,
    fix: '`rondo models <model>` lists the versions',
  },
  'registry/alias-not-found': { status: 404, says: (subject) => `Registered model alias ${subject} not found.` },
  'registry/not-servable': { status: 409, says: (subject) => `${subject} cannot be served.` },
  'registry/source-not-readable': { status: 409, says: (subject) => `The files of ${subject} cannot be read.` },

  'trash/not-found': {
    status: 404,
    says: (subject) => `There is no ${subject} in the trash.`,
    fix: '`rondo trash` lists what is there',
  },
  'trash/default-experiment': {
    status: 409,
    says: (subject) => `${subject} takes the runs that name no experiment and cannot be deleted for good.`,
    fix: 'restore it, delete its runs, and purge those',
  },
  'trash/in-use': { status: 409, says: (subject) => `${subject} serves and cannot be deleted for good.` },

  'interop/collision': { status: 409, says: (subject) => `There is another ${subject} here already.` },
  'interop/no-import': {
    status: 409,
    says: (subject) => `There is no import ${subject} that still runs.`,
    fix: 'begin it again: what has come already stays, and is not brought twice',
  },
  'interop/bad-source': {
    status: 400,
    exit: 2,
    says: (subject) => `${subject} is nothing that MLflow keeps its runs in.`,
  },
  'interop/unreachable': { status: 503, exit: 6, says: (subject) => `${subject} does not answer.` },
  'interop/refused': { status: 502, says: (subject) => `MLflow refuses ${subject}.` },
  'interop/unreadable': { status: 400, says: (subject) => `${subject} cannot be read as MLflow writes it.` },

  'notify/invalid': { status: 400, exit: 2, says: (subject) => `The ${subject} of a webhook is not valid.` },
  'notify/webhook-not-found': {
    status: 404,
    says: (subject) => `There is no webhook ${subject}.`,
    fix: '`rondo webhooks` lists the webhooks with their ids',
  },
  'notify/delivery-not-found': {
    status: 404,
    says: (subject) => `There is no delivery ${subject}.`,
    fix: '`rondo webhooks deliveries <webhook>` lists those of the last 30 days',
  },

  'mlflow/bad-request': { status: 400, says: (subject) => `${subject} is not what MLflow's API takes.` },
  'mlflow/not-implemented': { status: 501, says: (subject) => `${subject} is not supported.` },

  'serving/bad-request': { status: 400, exit: 2, says: (subject) => `The request is not valid: ${subject}.` },
  'serving/unknown-endpoint': {
    status: 404,
    says: (subject) => `Request for unknown model: '${subject}' is not found.`,
    fix: '`rondo monitors` names the endpoints; `endpoint:` in rondo.yaml makes one',
  },
  'serving/unknown-version': {
    status: 404,
    says: (subject) => `Request for unknown model version: ${subject} is not served.`,
  },
  'serving/no-champion': {
    status: 503,
    says: (subject) => `The endpoint ${subject} serves no version yet.`,
    fix: '`rondo ship <model>@<version>` gives it one',
  },
  'serving/not-ready': { status: 503, says: (subject) => `The model of the endpoint ${subject} is not loaded.` },
  'serving/overloaded': { status: 503, says: (subject) => `Too many requests wait for ${subject}.` },
  'serving/model-failed': { status: 500, says: (subject) => `The model failed: ${subject}.` },
  'serving/model-crashed': { status: 500, says: (subject) => `The model killed its thread twice: ${subject}.` },
  'serving/wrong-shape': {
    status: 500,
    says: (subject) => `The model's outputs do not have a row for each row it was given: ${subject}.`,
  },
  'serving/not-finite': {
    status: 500,
    says: (subject) => `The model gave an output that is not a finite number: ${subject}.`,
  },
  'serving/cannot-load': { status: 409, says: (subject) => `${subject} cannot be loaded.` },
  'serving/log-full': { status: 503, says: (subject) => `The prediction log of ${subject} is full.` },
  'serving/log-failing': { status: 503, says: (subject) => `The prediction log of ${subject} cannot be written.` },
  'serving/traffic-changed': {
    status: 409,
    says: (subject) => `The traffic of ${subject} was changed by somebody else.`,
  },
  'serving/nothing-to-roll-back-to': { status: 409, says: (subject) => `${subject} has no version to go back to.` },
  'serving/prediction-not-found': {
    status: 404,
    says: (subject) => `There is no prediction ${subject} in the log.`,
    fix: 'an answer has its id under parameters.prediction_ids; `rondo predict` prints it',
  },
  'serving/not-replayable': { status: 409, says: (subject) => `The prediction ${subject} cannot be computed again.` },

  'jobs/not-found': { status: 404, says: (subject) => `There is no operation ${subject}.` },
  'jobs/failed': { status: 500, says: (subject) => `The job ${subject} failed.` },
  'jobs/crashed': { status: 500, says: (subject) => `The worker process died while it ran ${subject}.` },
  'jobs/cancelled': { status: 409, says: (subject) => `${subject} was cancelled.` },
  'jobs/already-ended': { status: 409, says: (subject) => `The operation ${subject} has already ended.` },
  'jobs/given-up': { status: 500, says: (subject) => `${subject} was started several times and never came to an end.` },
  'jobs/unknown-kind': { status: 500, says: (subject) => `This worker knows no job of kind ${subject}.` },

  'datasets/not-found': {
    status: 404,
    says: (subject) => `There is no dataset ${subject}.`,
    fix: '`rondo data log` lists the datasets',
  },
  'datasets/version-not-found': {
    status: 404,
    says: (subject) => `There is no dataset version ${subject}.`,
    fix: '`rondo data log <dataset>` lists the versions',
  },
  'datasets/bad-source': { status: 400, exit: 2, says: (subject) => `${subject} is not a source that can be read.` },
  'datasets/no-files': { status: 400, exit: 2, says: (subject) => `No file matches ${subject}.` },
  'datasets/link-refused': {
    status: 400,
    says: (subject) => `${subject} is a link or a device, which a version cannot hold.`,
  },
  'datasets/source-changed': { status: 409, says: (subject) => `${subject} changed while it was being read.` },
  'datasets/unreadable': { status: 400, says: (subject) => `${subject} cannot be read as a table.` },
  'datasets/bad-check': { status: 400, exit: 2, says: (subject) => `The check ${subject} cannot be carried out.` },
  'datasets/damaged': { status: 500, says: (subject) => `The stored data is damaged: ${subject}.` },
  'rollouts/not-found': {
    status: 404,
    says: (subject) => `There is no rollout ${subject}.`,
    fix: '`rondo rollout list` shows them',
  },
  'rollouts/already-running': { status: 409, says: (subject) => `Endpoint ${subject} has a rollout already.` },
  'rollouts/already-live': {
    status: 409,
    says: (subject) => `${subject} serves already.`,
    fix: '`rondo models <model>` shows the other versions',
  },
  'rollouts/not-possible': { status: 409, says: (subject) => `It is not possible ${subject}.` },
  'rollouts/gates-not-passed': { status: 409, exit: 3, says: (subject) => `${subject} has not passed its gates.` },
  'rollouts/reason-missing': { status: 400, exit: 2, says: (subject) => `To ${subject} needs a reason.` },

  'monitoring/alert-not-found': {
    status: 404,
    says: (subject) => `There is no alert ${subject}.`,
    fix: '`rondo alerts --all` lists them',
  },
  'monitoring/alert-resolved': { status: 409, says: (subject) => `Alert ${subject} is resolved already.` },

  'lifecycle/no-project-file': {
    status: 404,
    exit: 2,
    says: (subject) => `There is no rondo.yaml in ${subject}.`,
    fix: '`rondo init` writes one',
  },
  'lifecycle/invalid-project': { status: 400, exit: 2, says: (subject) => `${subject} is not valid.` },
  'lifecycle/project-not-found': {
    status: 404,
    says: (subject) => `There is no project ${subject} here.`,
    fix: 'go to its folder: `rondo up` there takes it up',
  },
  'lifecycle/wrong-project-name': {
    status: 400,
    exit: 2,
    says: (subject) => `The rondo.yaml there is of another project: ${subject}.`,
  },
  'lifecycle/nothing-to-ship': {
    status: 409,
    says: (subject) => `${subject} has no version that could be shipped.`,
    fix: '`rondo run` makes one',
  },
  'lifecycle/other-model': {
    status: 409,
    exit: 2,
    says: (subject) => `The project ships another model than ${subject}.`,
  },
  'lifecycle/no-endpoint': { status: 409, says: (subject) => `The rondo.yaml of ${subject} names no endpoint.` },

  'pipelines/not-found': {
    status: 404,
    says: (subject) => `There is no execution ${subject}.`,
    fix: '`rondo run` begins one',
  },
  'pipelines/no-pipeline': {
    status: 400,
    exit: 2,
    says: (subject) => `${subject} has no pipeline in its rondo.yaml.`,
    fix: 'write `pipeline:` into it',
  },
  'pipelines/cycle': { status: 400, exit: 2, says: (subject) => `The steps form a cycle: ${subject}.` },
  'pipelines/unknown-step': { status: 400, exit: 2, says: (subject) => `There is no step ${subject}.` },
  'pipelines/unknown-param': { status: 400, exit: 2, says: (subject) => `No step has a parameter ${subject}.` },
  'pipelines/bad-step': { status: 400, exit: 2, says: (subject) => `The step ${subject} is not valid.` },
  'pipelines/bad-command': { status: 400, exit: 2, says: (subject) => `The command cannot be read: ${subject}.` },
  'pipelines/command-failed': { status: 422, says: (subject) => `The step ${subject} failed.` },
  'pipelines/missing-output': { status: 422, says: (subject) => `The step did not write ${subject}.` },
  'pipelines/data-refused': { status: 422, exit: 3, says: (subject) => `The data breaks its checks: ${subject}.` },
  'pipelines/step-failed': { status: 422, says: (subject) => `The execution stopped at ${subject}.` },
  'governance/approval-not-found': {
    status: 404,
    says: (subject) => `There is no approval ${subject}.`,
    fix: '`rondo approvals` lists them',
  },
  'governance/approval-closed': { status: 409, says: (subject) => `The approval ${subject} is closed.` },
  'governance/approval-refused': { status: 409, exit: 3, says: (subject) => `The rollout of ${subject} was refused.` },
  'governance/approval-expired': {
    status: 409,
    exit: 3,
    says: (subject) => `Nobody agreed to the rollout of ${subject} in time.`,
    fix: 'ship it again to ask again',
  },
  'governance/approval-missing': {
    status: 409,
    exit: 3,
    says: (subject) => `The rollout of ${subject} needs the consent of people.`,
    fix: '`rondo ship` asks for it',
  },
  'governance/own-change': { status: 403, exit: 4, says: (subject) => `${subject} may not agree to their own change.` },
  'governance/not-a-person': { status: 403, exit: 4, says: (subject) => `${subject} is no person.` },
  'governance/not-signed-yet': {
    status: 409,
    says: (subject) => `Entry ${subject} is not covered by a signed checkpoint yet.`,
  },

  'gates/no-gates': { status: 409, exit: 2, says: (subject) => `The project of ${subject} has no gates.` },
  'gates/no-report': { status: 404, says: (subject) => `${subject} has not been tested.` },
  'gates/cannot-load': { status: 409, says: (subject) => `${subject} cannot be loaded.` },
  'gates/no-score': { status: 409, says: (subject) => `${subject} has no output that is one score per row.` },
  'gates/unreadable': { status: 409, says: (subject) => `${subject} cannot be read as rows.` },
  'gates/missing-column': { status: 409, says: (subject) => `The gate rows lack ${subject}.` },
  'gates/bad-label': { status: 409, says: (subject) => `The truth is not usable: ${subject}.` },
  'rollouts/generation-passed': {
    status: 409,
    says: (subject) => `The traffic of ${subject} was changed by somebody else.`,
  },
  'cli/demo-failed': { status: 400, exit: 1, says: (subject) => `${subject} did not happen as it must.` },
  'cli/demo-needs-package': {
    status: 400,
    exit: 2,
    says: (subject) => `The demo needs the package ${subject}, which has its flights.`,
  },
  'cli/demo-folder-taken': {
    status: 400,
    exit: 2,
    says: (subject) => `${subject} is there already and was not made by the demo.`,
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
    const kind: ErrorKind = errorCatalogue[code];
    this.hint = details.hint ?? kind.fix;
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

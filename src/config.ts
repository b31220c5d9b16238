/** The only reader of the environment: flags before variables before defaults, checked once, then frozen. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PlatformError } from './errors.ts';

/** What the server runs with. */
export type Config = {
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataFolder: string;
  /** `postgres://…`; without it SQLite in the data folder. */
  readonly databaseUrl: string | undefined;
  /** Where new experiments keep their artifacts, as MLflow writes it: `mlflow-artifacts:/`, `s3://…`, an absolute path. */
  readonly defaultArtifactRoot: string;
  /** A folder or a bucket that has what is behind `mlflow-artifacts:/` as plain files; without it the blob store has. */
  readonly artifactsDestination: string | undefined;
  /** Of buckets. Credentials are found as Amazon's own tools find them. */
  readonly s3: { readonly endpoint: string | undefined; readonly region: string | undefined };
  /** '' or `/path` without a slash at its end. */
  readonly staticPrefix: string;
  readonly allowedHosts: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
  readonly adminPassword: string | undefined;
  /** What webhooks may reach, and how long a receiver may take. */
  readonly webhooks: {
    readonly schemes: readonly string[];
    readonly allowPrivateAddresses: boolean;
    readonly timeoutMs: number;
  };
  /** What the source of a new model version must match. */
  readonly sourcePattern: RegExp | undefined;
  readonly logLevel: string;
  /** For steps and workers, which are other programs: each passes on what it may. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** What the commands, which are clients, run with. */
export type ClientConfig = {
  readonly serverUrl: string | undefined;
  readonly token: string | undefined;
  readonly dataFolder: string;
};

/** Flags as the command line gives them, by their camelCase names. */
export type Flags = {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly backendStoreUri?: string;
  readonly defaultArtifactRoot?: string;
  readonly artifactsDestination?: string;
  readonly staticPrefix?: string;
  readonly allowedHosts?: string;
  readonly corsAllowedOrigins?: string;
  readonly server?: string;
};

type Remembered = Pick<Flags, 'artifactsDestination' | 'defaultArtifactRoot'> & {
  readonly database?: 'sqlite' | 'postgres' | undefined;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param remembered what the last server on the data folder ran with, for commands that open the folder themselves
 * @throws PlatformError config/invalid
 */
export function readConfig(flags: Flags, environment: Environment = process.env, remembered: Remembered = {}): Config {
  if (flags.backendStoreUri !== undefined) throw ownDatabaseOnly(flags);
  const databaseUrl = secret(environment, 'DATABASE_URL');
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw invalid('DATABASE_URL', 'write it as postgres://user:password@host:5432/database');
  }
  if (databaseUrl === undefined && remembered.database === 'postgres') {
    throw new PlatformError('config/invalid', 'DATABASE_URL', {
      message: 'What belongs to this data folder is in PostgreSQL, and DATABASE_URL is not set.',
      hint: 'set it as the last server had it, or name another folder with --data',
    });
  }
  return Object.freeze({
    host: flags.host ?? environment.RONDO_HOST ?? '127.0.0.1',
    port: portOf(flags.port ?? environment.RONDO_PORT ?? '5000'),
    dataFolder: dataFolderOf(flags, environment),
    databaseUrl,
    defaultArtifactRoot: absolute(
      flags.defaultArtifactRoot ??
        environment.RONDO_DEFAULT_ARTIFACT_ROOT ??
        remembered.defaultArtifactRoot ??
        'mlflow-artifacts:/',
    ),
    artifactsDestination: destinationOf(
      flags.artifactsDestination ?? environment.RONDO_ARTIFACTS_DESTINATION ?? remembered.artifactsDestination,
    ),
    s3: s3Of(environment),
    staticPrefix: prefixOf(flags.staticPrefix ?? environment.RONDO_STATIC_PREFIX ?? ''),
    allowedHosts: listOf(flags.allowedHosts ?? environment.RONDO_ALLOWED_HOSTS),
    corsAllowedOrigins: listOf(flags.corsAllowedOrigins ?? environment.RONDO_CORS_ALLOWED_ORIGINS),
    adminPassword: secret(environment, 'RONDO_ADMIN_PASSWORD'),
    webhooks: {
      schemes: schemesOf(environment.MLFLOW_WEBHOOK_ALLOWED_SCHEMES),
      allowPrivateAddresses: flagOf(environment, 'MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS'),
      timeoutMs: 1_000 * secondsOf(environment, 'MLFLOW_WEBHOOK_REQUEST_TIMEOUT', 30),
    },
    sourcePattern: patternOf(environment, 'MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX'),
    logLevel: levelOf(environment.RONDO_LOG ?? 'warn'),
    environment,
  });
}

export function readClientConfig(flags: Flags, environment: Environment = process.env): ClientConfig {
  const serverUrl = flags.server ?? environment.RONDO_URL;
  if (serverUrl !== undefined && !/^https?:$/.test(URL.parse(serverUrl)?.protocol ?? '')) {
    throw invalid(flags.server === undefined ? 'RONDO_URL' : '--server', 'write it as http://127.0.0.1:5000');
  }
  return Object.freeze({
    serverUrl: serverUrl?.replace(/\/+$/, ''),
    token: secret(environment, 'RONDO_TOKEN'),
    dataFolder: dataFolderOf(flags, environment),
  });
}

function dataFolderOf(flags: Flags, environment: Environment): string {
  return resolve(flags.data ?? environment.RONDO_DATA ?? 'rondo-data');
}

/** `NAME`, or the file that `NAME_FILE` names: container platforms hand over secrets as files. */
function secret(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  const file = environment[`${name}_FILE`];
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new PlatformError('config/invalid', `${name}_FILE`, { hint: `${file} cannot be read`, cause });
  }
}

function schemesOf(text: string | undefined): readonly string[] {
  const schemes = text === undefined ? ['https'] : listOf(text);
  if (schemes.length > 0 && schemes.every((scheme) => scheme === 'http' || scheme === 'https')) return schemes;
  throw invalid('MLFLOW_WEBHOOK_ALLOWED_SCHEMES', 'https, or http,https');
}

/** As MLflow reads its switches. */
function flagOf(environment: Environment, name: string): boolean {
  const text = (environment[name] ?? 'false').toLowerCase();
  if (/^(true|1|false|0)$/.test(text)) return text === 'true' || text === '1';
  throw invalid(name, 'true or false');
}

function secondsOf(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name] ?? String(otherwise);
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw invalid(name, 'seconds, from 1 to 999');
}

function patternOf(environment: Environment, name: string): RegExp | undefined {
  const text = environment[name];
  if (!text) return undefined;
  try {
    return new RegExp(text, 'u');
  } catch (cause) {
    throw new PlatformError('config/invalid', name, {
      hint: 'a regular expression that JavaScript reads too: of Python, (?P<name>…), \\A and \\Z are not',
      cause,
    });
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw invalid('--port', 'a number from 0 to 65535; 0 takes any free port');
}

function prefixOf(text: string): string {
  const prefix = text.replace(/\/+$/, '');
  if (/^(\/[\w.~-]+)*$/.test(prefix)) return prefix;
  throw invalid('--static-prefix', 'it begins with a slash: /mlflow');
}

function destinationOf(uri: string | undefined): string | undefined {
  if (uri === undefined || /^s3:\/\/[^/]/.test(uri) || /^file:\/\/(localhost)?\//.test(uri)) return uri;
  if (uri !== '' && !/^[A-Za-z][\w+.-]+:/.test(uri)) return resolve(uri);
  throw invalid('--artifacts-destination', 'a folder, or a bucket as s3://bucket/prefix');
}

/** A folder against the working directory; a URI is what it is. */
function absolute(location: string): string {
  return /^[A-Za-z][\w+.-]+:/.test(location) ? location : resolve(location);
}

function s3Of(environment: Environment): Config['s3'] {
  const { MLFLOW_S3_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = environment;
  const endpoint = MLFLOW_S3_ENDPOINT_URL || AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined;
  // Stores that are not Amazon's have no regions, and the protocol wants one.
  const region = AWS_REGION || AWS_DEFAULT_REGION || (endpoint === undefined ? undefined : 'us-east-1');
  return { endpoint, region };
}

function levelOf(text: string): string {
  if (/^(silent|error|warn|info|debug)$/.test(text)) return text;
  throw invalid('RONDO_LOG', 'one of silent, error, warn, info, debug');
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function ownDatabaseOnly({ backendStoreUri = '', artifactsDestination, data }: Flags): PlatformError {
  const files = (option: string) => (artifactsDestination === undefined ? [] : [option, artifactsDestination]);
  const line = (...words: readonly string[]) => `\`${words.map(quoted).join(' ')}\``;
  const bring = (...source: readonly string[]) =>
    line('rondo', 'import', 'mlflow', ...source, ...(data === undefined ? [] : ['--data', data]));
  // Databases that only MLflow itself reads come through its server.
  const server = ['mlflow', 'server', '--port', '5001', '--backend-store-uri', backendStoreUri];
  const way = /^(?:mysql|mssql)(?:\+\w+)?:/i.test(backendStoreUri)
    ? `${bring('http://127.0.0.1:5001')} while ${line(...server, ...files('--artifacts-destination'))} runs`
    : bring(backendStoreUri, ...files('--artifacts'));
  return new PlatformError('config/invalid', '--backend-store-uri', {
    message: 'Rondo keeps its own database and does not write into one of MLflow.',
    hint: `bring what is there over with ${way}, then leave the option out`,
  });
}

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function invalid(name: string, hint: string): PlatformError {
  return new PlatformError('config/invalid', name, { hint });
}

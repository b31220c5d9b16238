/**
 * Brings everything of an MLflow here. It asks what is here, sends what is missing or other, and reads back what it sent: so it can
 * be broken off at any moment and begun again, and run a second time for what was logged since.
 */
import { createHash } from 'node:crypto';
import type { PlatformError } from '../errors.ts';
import { type Moved, movedSource, placeHere, placeOf, usualKey } from './artifact-place.ts';
import { canonical, differingFields, type ImportReport, Tally } from './import-report.ts';
import {
  type EntityKind,
  type EntityRecord,
  type MlflowRecord,
  nameOf,
  type PointsRecord,
  type PointsSummary,
  type RunRecord,
  type VersionRecord,
} from './mlflow-record.ts';
import type { ArtifactOwner, MlflowSource, SourceFile } from './mlflow-source.ts';
import { PointsDigest } from './points-digest.ts';

/** The server here, as far as an import needs it. */
export interface ImportTarget {
  write(records: readonly MlflowRecord[]): Promise<void>;
  /** What is not there is left out. @param names as `nameOf` has them, at most 1,000 */
  read(kind: EntityKind, names: readonly string[]): Promise<readonly EntityRecord[]>;
  /** With the digest of the latest points beside that of all. */
  readPoints(runIds: readonly string[]): Promise<Readonly<Record<string, PointsHere>>>;
  readArtifacts(keys: readonly string[]): Promise<readonly StoredArtifact[]>;
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
}

export type PointsHere = PointsSummary & { readonly latest: string };
export type StoredArtifact = { readonly key: string; readonly size: number; readonly digest: string };

export type ImportProgress = {
  readonly what: string;
  readonly records: number;
  readonly points: number;
  readonly artifacts: number;
  readonly bytes: number;
};

type Options = {
  readonly isDryRun: boolean;
  /** Read slow sources again even where everything seems to be here. */
  readonly isDeep: boolean;
  readonly onProgress: (progress: ImportProgress) => void;
  /** Whether an error is of one file alone, and the others can go on. */
  readonly isOfOneFile: (error: unknown) => error is PlatformError;
  readonly signal: AbortSignal;
};

const pointsInBatch = 10_000;
const recordsInBatch = 500;
const filesAtOnce = 4;

export async function importMlflow(
  source: MlflowSource,
  target: ImportTarget,
  options: Options,
): Promise<ImportReport> {
  const { isDryRun, isDeep, signal } = options;
  const tally = new Tally();
  const moved: Moved[] = [];
  const done = { records: 0, points: 0, artifacts: 0, bytes: 0 };
  const progress = (what: string) => {
    signal.throwIfAborted();
    options.onProgress({ what, ...done });
  };

  for await (const page of source.experiments()) {
    progress('experiments');
    await carry(
      'experiment',
      page.map((one) => {
        const artifactLocation = placeHere(one.artifactLocation, usualKey.experiment(one.id));
        if (one.artifactLocation !== '') moved.push({ from: one.artifactLocation, to: artifactLocation });
        return { ...one, artifactLocation };
      }),
    );
  }
  for await (const page of source.runs()) {
    progress('runs');
    await carryRuns(page);
    for (const { id, experimentId, artifactUri, name } of page) {
      const owner = { kind: 'run', id, experimentId, location: artifactUri } as const;
      const usual = placeHere(artifactUri, usualKey.run(experimentId, id));
      await carryArtifacts(owner, { here: usual, title: `run ${id} (${name})` });
    }
  }
  for await (const page of source.loggedModels()) {
    progress('logged models');
    const here = page.map((one) => ({
      ...one,
      artifactLocation: placeHere(one.artifactLocation, usualKey.loggedModel(one.experimentId, one.id)),
    }));
    await carry('logged-model', here);
    for (const [at, { id, experimentId, artifactLocation, name, status }] of page.entries()) {
      const owner = { kind: 'logged-model', id, experimentId, location: artifactLocation } as const;
      const title = `logged model ${id} (${name})`;
      const files = await carryArtifacts(owner, { here: here[at]?.artifactLocation ?? '', title });
      if (files === 0 && status === 'LOGGED_MODEL_READY')
        tally.note('unreachable', `${title}: no files at ${artifactLocation}`);
    }
  }
  for await (const page of source.models()) {
    progress('registered models');
    await carry('model', page);
    for await (const versions of source.versions(page)) await carry('version', versions.map(versionHere));
  }
  return tally.report({ source: source.address, isDryRun, leftOut: await source.leftOut() });

  function versionHere(version: VersionRecord): VersionRecord {
    const here = {
      ...version,
      source: movedSource(version.source, moved),
      storageLocation: movedSource(version.storageLocation, moved),
    };
    if (!version.deleted && isUnmovedFolder(here.storageLocation)) {
      const title = `version ${version.version} of ${version.model}`;
      tally.note('unreachable', `${title}: its source ${version.source} lies outside of every experiment`);
    }
    return here;
  }

  /** Sends what is missing or other, and compares what came of it. @returns the names of what was sent */
  async function carry(kind: EntityKind, records: readonly EntityRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += recordsInBatch) {
      const some = records.slice(at, at + recordsInBatch).map(storable);
      const before = await found(kind, some);
      const changed = some.filter((record) => noteChange(before.get(nameOf(record)), record));
      if (changed.length > 0 && !isDryRun) await target.write(changed);
      const after = changed.length > 0 && !isDryRun ? await found(kind, changed) : new Map<string, EntityRecord>();
      for (const record of some) compare(record, after.get(nameOf(record)) ?? before.get(nameOf(record)));
      done.records += some.length;
    }
  }

  async function found(kind: EntityKind, records: readonly EntityRecord[]): Promise<ReadonlyMap<string, EntityRecord>> {
    const there = await target.read(kind, records.map(nameOf));
    return new Map(there.map((record) => [nameOf(record), record]));
  }

  /** Only MLflow's SQLite keeps a NUL in a text. */
  function storable<T extends EntityRecord>(record: T): T {
    if (!holdsNul(record)) return record;
    const stored = withoutNul(record) as T; // other characters in the same fields
    tally.note('differences', `${titleOf(stored)}: a NUL in a text there is \ufffd here`);
    return stored;
  }

  /** @returns whether it has to be sent */
  function noteChange(before: EntityRecord | undefined, record: EntityRecord): boolean {
    if (before && differingFields(record, before).length === 0) return false;
    if (before) tally.changed += 1;
    else tally.added += 1;
    return true;
  }

  function compare(record: EntityRecord, here: EntityRecord | undefined): void {
    tally.countRecord('source', record);
    if (!here) {
      if (!isDryRun) tally.note('differences', `${titleOf(record)} is missing here`);
      return;
    }
    const fields = differingFields(record, here);
    // What the source cannot say does not count on this side either.
    const deletedAt = record.kind === 'run' && record.deletedAt === undefined ? { deletedAt: undefined } : {};
    tally.countRecord('here', fields.length === 0 ? record : ({ ...here, ...deletedAt } as EntityRecord));
    if (fields.length === 0 || isDryRun) return;
    const [one, other] = [record, here] as unknown as readonly Readonly<Record<string, unknown>>[];
    const told = fields.map((field) => `${field}: ${short(one?.[field])} there, ${short(other?.[field])} here`);
    tally.note('differences', `${titleOf(record)}: ${told.join('; ')}`);
  }

  async function carryRuns(page: readonly RunRecord[]): Promise<void> {
    const here = page.map((run) => {
      const artifactUri = placeHere(run.artifactUri, usualKey.run(run.experimentId, run.id));
      return { ...run, artifactUri };
    });
    const ids = here.map(({ id }) => id);
    const before = await found('run', here);
    const pointsBefore = await target.readPoints(ids);
    await carry('run', here);
    if (isDryRun) return;

    const toRead = page.filter((run, at) => {
      const there = before.get(run.id);
      const record = here[at];
      const latest = source.latest?.(run.id);
      const complete =
        !isDeep &&
        source.isSlow &&
        there !== undefined &&
        record !== undefined &&
        isEnded(run) &&
        differingFields(record, there).length === 0 &&
        latest === pointsBefore[run.id]?.latest;
      if (!complete) return true;
      tally.notReadAgain.runs += 1;
      countPoints(run, pointsBefore[run.id], pointsBefore[run.id]);
      return false;
    });
    const isNew = (run: RunRecord) => !before.has(run.id) && (pointsBefore[run.id]?.points ?? 0) === 0;
    const digests = await readPoints(toRead.filter(isNew), { send: true });
    const known = toRead.filter((run) => !isNew(run));
    for (const [id, digest] of await readPoints(known, { send: false })) digests.set(id, digest);
    const other = known.filter(({ id }) => digests.get(id)?.digest !== pointsBefore[id]?.digest);
    await readPoints(other, { send: true });
    const sent = toRead.filter((run) => isNew(run) || other.includes(run)).map(({ id }) => id);
    const after = sent.length > 0 ? await target.readPoints(sent) : {};
    for (const run of toRead) countPoints(run, digests.get(run.id), after[run.id] ?? pointsBefore[run.id]);
  }

  function countPoints(run: RunRecord, there = noPoints, here = noPoints): void {
    tally.countPoints('source', run.id, there);
    tally.countPoints('here', run.id, here);
    if (there.digest === here.digest && there.points === here.points) return;
    tally.note('differences', `run ${run.id} (${run.name}): ${there.points} points there, ${here.points} here`);
  }

  /** Reads all points of some runs, and sends them while it reads on. */
  async function readPoints(
    runs: readonly RunRecord[],
    { send }: { readonly send: boolean },
  ): Promise<Map<string, PointsSummary>> {
    const digests = new Map(runs.map(({ id }) => [id, new PointsDigest()]));
    let batch: PointsRecord[] = [];
    let size = 0;
    let sending: Promise<void> = Promise.resolve();
    const flush = async () => {
      const full = batch;
      batch = [];
      size = 0;
      await sending;
      if (full.length > 0) sending = target.write(full);
      sending.catch(() => {}); // told by the next flush
    };
    const add = async (part: PointsRecord) => {
      if (part.steps.length === 0) return;
      batch.push(part);
      size += part.steps.length;
      if (size >= pointsInBatch || batch.length >= recordsInBatch) await flush();
    };
    const parts = source.isSlow ? latestLast(source.points(runs)) : source.points(runs);
    for await (const part of parts) {
      digests.get(part.runId)?.add(part.key, part.steps, part.timestamps, part.values);
      done.points += send ? part.steps.length : 0;
      progress('metric points');
      if (send) await add(part);
    }
    await flush();
    await sending;
    return new Map([...digests].map(([id, digest]) => [id, digest.summary]));
  }

  /** @returns how many files there are */
  async function carryArtifacts(
    owner: ArtifactOwner,
    { here, title }: { readonly here: string; readonly title: string },
  ): Promise<number> {
    if (owner.location === '') return 0;
    const listing = await source.artifacts(owner);
    if (listing.kind === 'stays') {
      tally.stays(owner.location);
      return Number.NaN;
    }
    if (listing.kind === 'unreachable') {
      tally.noteReason(listing.reason, title);
      return Number.NaN;
    }
    const place = placeOf(here);
    const root = place.kind === 'proxied' ? place.key : '';
    let files = 0;
    let some: SourceFile[] = [];
    for await (const file of listing.files) {
      files += 1;
      some.push(file);
      if (some.length < 200) continue;
      await carryFiles(some, root, title);
      some = [];
    }
    if (some.length > 0) await carryFiles(some, root, title);
    return files;
  }

  async function carryFiles(files: readonly SourceFile[], root: string, title: string): Promise<void> {
    if (isDryRun) {
      for (const { path, size } of files) {
        tally.count('source', 'artifacts', `${root}/${path}`);
        tally.bytes.source += size;
      }
      return;
    }
    const keys = files.map(({ path }) => `${root}/${path}`);
    const before = new Map((await target.readArtifacts(keys)).map((one) => [one.key, one]));
    for (let at = 0; at < files.length; at += filesAtOnce) {
      const carried = await Promise.all(
        files.slice(at, at + filesAtOnce).map((file) => carryFile(file, `${root}/${file.path}`, before, title)),
      );
      const sent = carried.filter((one) => one !== undefined);
      const after = new Map((await target.readArtifacts(sent.map(({ key }) => key))).map((one) => [one.key, one]));
      for (const { key, size, digest } of sent) countFile({ key, size, digest }, after.get(key), title);
    }
  }

  /** @returns what was read and sent; undefined for a file that is counted already */
  async function carryFile(
    file: SourceFile,
    key: string,
    before: ReadonlyMap<string, StoredArtifact>,
    title: string,
  ): Promise<StoredArtifact | undefined> {
    const there = before.get(key);
    try {
      if (there && there.size === file.size) {
        if (source.isSlow && !isDeep) {
          tally.notReadAgain.artifacts += 1;
          countFile(there, there, title);
          return undefined;
        }
        const same = await digested(await file.open(signal));
        if (same.digest === there.digest) {
          countFile({ key, ...same }, there, title);
          return undefined;
        }
      }
      const reading = hashing(await file.open(signal));
      await target.put(key, reading.body);
      tally[there ? 'changed' : 'added'] += 1;
      return { key, ...reading.result() };
    } catch (error) {
      if (!options.isOfOneFile(error)) throw error;
      tally.note('unreachable', `${title}: ${file.path}: ${error.message}`);
      return undefined;
    } finally {
      done.artifacts += 1;
      done.bytes += file.size;
      progress('artifacts');
    }
  }

  function countFile(there: StoredArtifact, here: StoredArtifact | undefined, title: string): void {
    tally.count('source', 'artifacts', `${there.key} ${there.digest}`);
    tally.bytes.source += there.size;
    if (here) {
      tally.count('here', 'artifacts', `${here.key} ${here.digest}`);
      tally.bytes.here += here.size;
    }
    if (here?.digest === there.digest && here.size === there.size) return;
    tally.note('differences', `${title}: the file ${there.key} ${here ? 'has other bytes here' : 'is missing here'}`);
  }
}

const noPoints: PointsSummary = { metrics: 0, points: 0, digest: '0'.repeat(32) };

const isEnded = ({ status }: RunRecord): boolean => status !== 'RUNNING' && status !== 'SCHEDULED';

const isUnmovedFolder = (location: string): boolean =>
  location !== 'dummy-source' && location !== 'prompt-template' && placeOf(location).kind === 'local';

function titleOf(record: EntityRecord): string {
  switch (record.kind) {
    case 'experiment':
    case 'run':
      return `${record.kind} ${record.id} (${record.name})`;
    case 'logged-model':
      return `logged model ${record.id} (${record.name})`;
    case 'model':
      return `registered model ${record.name}`;
    case 'version':
      return `version ${record.version} of ${record.model}`;
  }
}

const holdsNul = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.includes('\0')
    : typeof value === 'object' && value !== null && Object.values(value).some(holdsNul);

function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutNul(one)]));
}

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : canonical(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
};

/**
 * Holds the latest point of each metric back until all others of its run are gone. A run whose latest points are here is then
 * complete, and an import that is begun again does not have to read its history to know.
 */
async function* latestLast(parts: AsyncIterable<PointsRecord>): AsyncGenerator<PointsRecord> {
  let run: string | undefined;
  let held = new Map<string, PointsRecord>();
  for await (const part of parts) {
    if (part.runId !== run) {
      yield* held.values();
      held = new Map();
      run = part.runId;
    }
    const points = part.steps.map((step, at) => ({
      step,
      timestamp: part.timestamps[at] ?? 0,
      value: part.values[at] ?? 'NaN',
    }));
    const last = held.get(part.key);
    if (last)
      points.push({ step: last.steps[0] ?? 0, timestamp: last.timestamps[0] ?? 0, value: last.values[0] ?? 'NaN' });
    const latest = points.reduce((one, other) => (isAfter(other, one) ? other : one));
    const of = (some: typeof points): PointsRecord => ({
      ...part,
      steps: some.map(({ step }) => step),
      timestamps: some.map(({ timestamp }) => timestamp),
      values: some.map(({ value }) => value),
    });
    held.set(part.key, of([latest]));
    yield of(points.filter((point) => point !== latest));
  }
  yield* held.values();
}

type Point = { readonly step: number | string; readonly timestamp: number | string; readonly value: number | 'NaN' };

/** As the tables order them: by step, then time, then value. */
function isAfter(one: Point, other: Point): boolean {
  if (one.step !== other.step) return BigInt(one.step) > BigInt(other.step);
  if (one.timestamp !== other.timestamp) return BigInt(one.timestamp) > BigInt(other.timestamp);
  return (one.value === 'NaN' ? 0 : one.value) > (other.value === 'NaN' ? 0 : other.value);
}

function hashing(body: AsyncIterable<Uint8Array>) {
  const digester = createHash('sha256');
  let size = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      digester.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  return { body: read(), result: () => ({ size, digest: digester.digest('hex') }) };
}

async function digested(body: AsyncIterable<Uint8Array>): Promise<{ readonly size: number; readonly digest: string }> {
  const reading = hashing(body);
  for await (const _ of reading.body);
  return reading.result();
}

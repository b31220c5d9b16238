/** A source becomes a stored tree: list, scan, check, and only then keep. Worker process only. */
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobContext } from '../jobs/job.ts';
import { compileChecks } from './check.ts';
import { openChunkStore } from './chunk-store-adapter.ts';
import { createChunker } from './chunker.ts';
import { type Check, parseSource } from './data-config.ts';
import { refusals, type Scan } from './dataset.ts';
import { openFileMemory } from './file-memory-adapter.ts';
import { checksAsYaml, inferChecks } from './infer-checks.ts';
import type { AddedFiles } from './record-version.ts';
import { listSource, type SourceFile } from './source-adapter.ts';
import { readEvidence, refuseWithoutTable, scanTable, tableSql } from './table-adapter.ts';
import { storeTree, versionPath, writeTree } from './tree-adapter.ts';

/** Where datasets lie: chunks, trees and checkouts below one folder, and a place for DuckDB to spill. */
export type DatasetFolders = { readonly folder: string; readonly tempFolder: string };

export type AddInput = {
  readonly project: string;
  readonly name: string;
  /** The linked project folder; a source never leaves it. */
  readonly projectFolder: string;
  readonly source: string;
  readonly checks: readonly Check[];
  /** Where the server has put what an `endpoint://` source gave; the files there are the version. */
  readonly exported?: string;
};

export async function addSource(folders: DatasetFolders, input: AddInput, context: JobContext): Promise<AddedFiles> {
  const { project, name, source, checks } = input;
  context.progress(undefined, 'looking at the files');
  const { root, files } = sourceFiles(input);
  const scan = await scanFiles(folders, { root, files, checks }, context.signal);
  if (refusals(scan.checks).length > 0) return { project, name, source, scan };
  await using chunks = await openChunkStore(join(folders.folder, 'chunks'));
  const memory = await openFileMemory(folders.folder, { root, has: chunks.has, now: Date.now });
  const tree = await storeTree({ chunker: createChunker(), chunks, memory }, files, context);
  await chunks.commit();
  await memory.save();
  await writeTree(folders.folder, tree);
  const { bytes, newBytes } = tree;
  return { project, name, source, scan, tree: { root: tree.root, files: files.length, bytes, newBytes } };
}

/** The checks block that `rondo data infer` writes. */
export async function inferFromSource(
  folders: DatasetFolders,
  input: Omit<AddInput, 'checks'>,
  context: JobContext,
): Promise<{ readonly rows: number; readonly checks: readonly Check[]; readonly yaml: string }> {
  const { root, files } = sourceFiles(input);
  const sql = tableSql(paths(files), root);
  if (!sql)
    throw new PlatformError('datasets/unreadable', input.source, {
      hint: 'Only Parquet, CSV and JSON lines have columns.',
    });
  using db = await openDuckDb({ folders: [root], tempFolder: folders.tempFolder }, context.signal);
  const { profile } = await scanTable(db, sql, []);
  const checks = profile ? inferChecks(profile, await readEvidence(db, profile)) : [];
  return { rows: profile?.rows ?? 0, checks, yaml: checksAsYaml(checks) };
}

/** The path from which a version's files can be read, written there first if they are not. */
export async function materialise(folders: DatasetFolders, root: string, signal: AbortSignal): Promise<string> {
  await using chunks = await openChunkStore(join(folders.folder, 'chunks'));
  return await versionPath({ chunks, folder: folders.folder }, root, signal);
}

async function scanFiles(
  { tempFolder }: DatasetFolders,
  { root, files, checks }: { root: string; files: readonly SourceFile[]; checks: readonly Check[] },
  signal: AbortSignal,
): Promise<Scan> {
  // An endpoint without predictions: nothing to judge, which keeps nothing out.
  if (files.length === 0) {
    return {
      columns: [],
      profile: undefined,
      checks: compileChecks(
        checks.filter((check) => 'rows' in check),
        [],
        '',
      ).judge({ n: 0 }),
    };
  }
  const sql = tableSql(paths(files), root);
  if (!sql) return { columns: [], profile: undefined, checks: refuseWithoutTable(checks) };
  using db = await openDuckDb({ folders: [root], tempFolder }, signal);
  return await scanTable(db, sql, checks); // awaited here: `db` closes when this function is left
}

function sourceFiles({ projectFolder, source, exported }: Omit<AddInput, 'checks'>) {
  const parsed = parseSource(source);
  if (parsed?.kind === 'files') return listSource(projectFolder, parsed.pattern);
  if (parsed?.kind === 'endpoint' && exported !== undefined) {
    try {
      return listSource(exported, '.');
    } catch (error) {
      if (error instanceof PlatformError && error.code === 'datasets/no-files') return { root: exported, files: [] };
      throw error;
    }
  }
  throw new PlatformError('datasets/bad-source', source, {
    hint: 'Give a file, folder or glob below the project folder, or endpoint://name?last=60d.',
  });
}

function paths(files: readonly SourceFile[]): readonly string[] {
  return files.map(({ path }) => path);
}

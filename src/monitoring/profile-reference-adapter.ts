/** Job `monitoring.profile-reference`: counts the training rows of a version. Worker process only. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobHandler } from '../jobs/job.ts';
import { dayOf } from '../serving/summary.ts';
import type { Cell } from '../statistics/histogram.ts';
import { profileColumn, type ReferenceColumn, type ReferenceProfile } from './reference-profile.ts';

export type ProfileInput = {
  /** A Parquet file with the rows the version was trained on. */
  readonly file: string;
  /** The inputs of the model; absent: every column but the ones left out. */
  readonly features?: readonly string[];
  /** The column with the event time, where the rows have one. */
  readonly time?: string;
  /** Columns that are no features: the target, the key. */
  readonly leaveOut?: readonly string[];
  readonly tempFolder: string;
  /** Where the profile is written, as JSON. */
  readonly output: string;
};

export type ProfileOutput = { readonly rows: number; readonly features: readonly string[]; readonly output: string };

export const profileReference: JobHandler<ProfileInput, ProfileOutput> = async (input, { signal, progress }) => {
  const { file, time, output } = input;
  using duck = await openDuckDb({ folders: [dirname(file)], files: [file], tempFolder: input.tempFolder }, signal);
  const relation = `read_parquet(${text(file)})`;
  const described = await duck.rows(`DESCRIBE SELECT * FROM ${relation}`);
  const types = new Map(described.map((row) => [String(row.column_name), String(row.column_type)]));
  const leftOut = new Set([...(input.leaveOut ?? []), time]);
  const features = [...types.keys()].filter((name) => !leftOut.has(name) && (input.features?.includes(name) ?? true));

  const days = time !== undefined && types.has(time) ? await daysOf(time) : undefined;
  const columns: Record<string, ReferenceColumn> = {};
  let rows = 0;
  for (const [i, name] of features.entries()) {
    progress(i / features.length, `counting ${name}`);
    const values = await column(numberOrText(name, types.get(name) ?? ''));
    rows = values.length;
    columns[name] = profileColumn(values, days);
  }
  const profile: ReferenceProfile = { rows, features: columns };
  await writeFile(output, JSON.stringify(profile));
  return { rows, features, output };

  async function column(expression: string): Promise<Cell[]> {
    // One file and one thread's order: the same rows in the same places for every column.
    const reader = await duck.connection.runAndReadAll(`SELECT ${expression} FROM ${relation}`);
    return (reader.getColumnsJS()[0] ?? []) as Cell[]; // the expression makes numbers, texts and nulls only
  }

  async function daysOf(name: string): Promise<number[]> {
    const type = types.get(name) ?? '';
    const quoted = identifier(name);
    const ms = /INT|DOUBLE|FLOAT|DECIMAL/.test(type) ? quoted : `epoch_ms(CAST(${quoted} AS TIMESTAMP))`;
    return (await column(`CAST(${ms} AS DOUBLE)`)).map((value) => dayOf(Number(value)));
  }
};

/** Numbers as doubles, truth values and everything else as text: what a request carries too. */
function numberOrText(name: string, type: string): string {
  const quoted = identifier(name);
  return /INT|DOUBLE|FLOAT|DECIMAL/.test(type) ? `CAST(${quoted} AS DOUBLE)` : `CAST(${quoted} AS VARCHAR)`;
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

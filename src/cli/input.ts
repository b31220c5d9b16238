/** What commands read: JSON, NDJSON or CSV, from a file or standard input. */
import { readFile } from 'node:fs/promises';
import { PlatformError } from '../errors.ts';

export type InputRow = Readonly<Record<string, unknown>>;

/** @param file `-` is standard input  @throws PlatformError cli/usage */
export async function readRows(file: string, stdin: AsyncIterable<Uint8Array>): Promise<readonly InputRow[]> {
  const text = await readText(file, stdin);
  const start = text.trimStart().charAt(0);
  if (start === '[') return rowsOf(parse(text, file), file);
  if (start === '{') {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    // One object over many lines is JSON; one object a line is NDJSON.
    const isLines = lines.length > 1 && lines[0]?.trimEnd().endsWith('}');
    return rowsOf(isLines ? lines.map((line) => parse(line, file)) : [parse(text, file)], file);
  }
  return parseCsv(text);
}

/** A password or a secret, which is not to be seen among the arguments. */
export async function readFirstLine(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  return (await readAll(stdin)).split(/\r?\n/, 1)[0] ?? '';
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stdin) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function readText(file: string, stdin: AsyncIterable<Uint8Array>): Promise<string> {
  if (file === '-') return readAll(stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PlatformError('cli/usage', file, {
      message: `The file ${file} cannot be read.`,
      hint: 'name a file that is there, or - for standard input',
      cause,
    });
  });
}

function rowsOf(value: unknown, file: string): readonly InputRow[] {
  if (
    Array.isArray(value) &&
    value.every((row): row is InputRow => typeof row === 'object' && row !== null && !Array.isArray(row))
  )
    return value;
  throw new PlatformError('cli/usage', file, { message: `${file} is not a list of objects.` });
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PlatformError('cli/usage', file, { message: `${file} is not JSON.`, cause });
  }
}

/** RFC 4180: quoted fields may hold commas, quotes and line breaks. Numbers become numbers; empty fields are left out. */
export function parseCsv(text: string): readonly InputRow[] {
  const [header = [], ...records] = [...csvRecords(text)];
  return records.map((record) =>
    Object.fromEntries(header.flatMap((name, at) => (record[at] ? [[name, csvValue(record[at])]] : []))),
  );
}

function* csvRecords(text: string): Generator<string[]> {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let record: string[] = [];
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match)
      throw new PlatformError('cli/usage', 'CSV', {
        message: `The CSV has a stray quote near record ${record.join(',').slice(0, 40)}.`,
      });
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === ',') continue;
    if (record.length > 1 || record[0] !== '') yield record;
    record = [];
  }
  if (record.length > 0) yield [...record, ''];
}

function csvValue(text: string): string | number {
  return /^-?(?:0|[1-9]\d{0,15})(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}

/** What stands in a row, a file or an answer of MLflow, as a record has it. */
import { PlatformError } from '../errors.ts';
import type { WireDouble, WireInt64 } from './mlflow-record.ts';

export type Row = Readonly<Record<string, unknown>>;

export const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

/** Under its name, or nothing where there is none; an empty text is one. */
export const givenText = <Name extends string>(name: Name, value: unknown): { readonly [K in Name]?: string } =>
  (value === null || value === undefined ? {} : { [name]: String(value) }) as { [K in Name]?: string }; // by that name only

/** Milliseconds; 0 where old releases wrote none. */
export const timeOf = (value: unknown): number => {
  const time = value === null || value === undefined || value === '' ? 0 : Math.trunc(Number(value));
  if (!Number.isSafeInteger(time)) throw new PlatformError('interop/unreadable', `The time ${String(value)}`);
  return Math.max(0, time);
};

export const int64Of = (value: unknown): WireInt64 => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const digits = value === null || value === undefined ? '0' : String(value).trim();
  if (!/^[+-]?\d{1,19}$/.test(digits)) throw new PlatformError('interop/unreadable', `The number ${digits}`);
  const exact = Number(digits);
  return Number.isSafeInteger(exact) ? exact : digits.replace(/^\+/, '');
};

/** As MLflow's servers answer: infinities are the greatest finite doubles. */
export const doubleOf = (value: unknown): WireDouble => {
  if (value === null || value === undefined) return 'NaN';
  const number = typeof value === 'number' ? value : numberIn(String(value).trim());
  if (Number.isNaN(number)) return 'NaN';
  return Math.min(Math.max(number, -Number.MAX_VALUE), Number.MAX_VALUE) + 0; // −0 becomes 0
};

/** Python and protobuf write infinities in words. */
function numberIn(text: string): number {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const number = Number(text);
  if (text === '' || Number.isNaN(number))
    throw new PlatformError('interop/unreadable', `The number ${JSON.stringify(text)}`);
  return number;
}

export function oneOf<T extends string>(names: readonly T[], value: unknown, otherwise: T): T {
  return names.find((name) => name === value) ?? otherwise;
}

export const runStatuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export const versionStatuses = ['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY'] as const;
export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;
export const deletedStage = 'Deleted_Internal';

/** MLflow numbers the states of a logged model; only its API has their names. */
export const loggedModelStatus = (value: unknown) => {
  const names = ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'] as const;
  return names[Number(value) - 1] ?? oneOf(names, value, 'LOGGED_MODEL_PENDING');
};

export const lifecycleOf = (value: unknown) => oneOf(['active', 'deleted'], value, 'active');

/** The logged model that a version's source names. */
export const loggedModelIn = (source: string): string | undefined => /^models:\/(m-[0-9a-zA-Z]+)$/.exec(source)?.[1];

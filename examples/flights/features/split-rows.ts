/** Which rows train and which rows judge, told from the dates of the data alone: the same rule for every version. */
import { sampleRows } from '../random.ts';

export type SplitRules = {
  readonly seed: number;
  /** Last days of the file that no model is trained on. */
  readonly gateDays: number;
  readonly trainRows: number;
  readonly gateRows: number;
  /** How much of the log trains, how many of its last days are looked at for gate days, and how many rows those give at most. */
  readonly logDays: number;
  readonly logGateWindow: number;
  readonly logGateRows: number;
};

export const splitRules: SplitRules = {
  seed: 42,
  gateDays: 7,
  trainRows: 300_000,
  gateRows: 60_000,
  logDays: 60,
  logGateWindow: 36,
  logGateRows: 12_000,
};

/** Rows of a table, by its two columns that decide: the day, and the flight it is about. */
type Rows = { readonly length: number; readonly day: ArrayLike<number>; readonly id: ArrayLike<number> };
export type Split = {
  readonly train: { readonly file: Uint32Array; readonly log: Uint32Array };
  readonly gate: { readonly file: Uint32Array; readonly log: Uint32Array };
};

const none = new Uint32Array(0);

/**
 * From the file alone, the last week judges and everything before it trains, except the first day: it has no history.
 *
 * Once the log of served flights is more than a week ahead of the file, it says more about today. Then every third day of its last 36 judges: single
 * rows would leak the weather of their day, and the last week as a whole would take away the very weeks that changed. Its other days train, filled up
 * with rows of the file from before those 36 days. Filling from later days would train on gate days and double the apparent gain.
 */
export function splitRows(file: Rows, log: Rows | undefined, rules: SplitRules = splitRules): Split {
  const first = extreme(file.day, Math.min);
  const fileEnd = extreme(file.day, Math.max) - rules.gateDays;
  const logEnd = log && log.length > 0 ? extreme(log.day, Math.max) : Number.NEGATIVE_INFINITY;
  if (!log || logEnd <= fileEnd + 2 * rules.gateDays) {
    const train = rowsWhere(file, (day) => day > first && day <= fileEnd);
    const gate = rowsWhere(file, (day) => day > fileEnd);
    return {
      train: { file: sampleRows(train, rules.trainRows, rules.seed), log: none },
      gate: { file: sampleRows(gate, rules.gateRows, rules.seed + 1), log: none },
    };
  }
  const isGateDay = (day: number) => day > logEnd - rules.logGateWindow && (logEnd - day) % 3 === 0;
  const logged = new Set(Array.from(log.id));
  const train = sampleRows(
    rowsWhere(log, (day) => day > logEnd - rules.logDays && !isGateDay(day)),
    rules.trainRows,
    rules.seed,
  );
  const gate = sampleRows(rowsWhere(log, isGateDay), rules.logGateRows, rules.seed + 1);
  const fillEnd = Math.min(fileEnd, logEnd - rules.logGateWindow);
  // A flight that was served lies in the file too: it must not count twice.
  const filling = rowsWhere(file, (day, id) => day > first && day <= fillEnd && !logged.has(id));
  return {
    train: { file: sampleRows(filling, rules.trainRows - train.length, rules.seed), log: train },
    gate: { file: none, log: gate },
  };
}

function rowsWhere({ length, day, id }: Rows, holds: (day: number, id: number) => boolean): Uint32Array {
  const rows = new Uint32Array(length);
  let count = 0;
  for (let row = 0; row < length; row++) if (holds(day[row] ?? 0, id[row] ?? 0)) rows[count++] = row;
  return rows.slice(0, count);
}

function extreme(values: ArrayLike<number>, choose: (a: number, b: number) => number): number {
  if (values.length === 0) throw new RangeError('there are no flights to split');
  let found = values[0] ?? 0;
  for (let row = 1; row < values.length; row++) found = choose(found, values[row] ?? found);
  return found;
}

/** Where two answers to one request differ, apart from what has to: ids, names that a server makes up, and the time. */
export type Answer = {
  readonly status: number;
  readonly body: unknown;
};

export type Difference = {
  /** `status`, or the way into the body; places in lists are `[]`, so that one row of a table can name them all. */
  readonly field: string;
  readonly ours: unknown;
  readonly theirs: unknown;
};

export function answerDifferences(ours: Answer, theirs: Answer): readonly Difference[] {
  return [
    ...(ours.status === theirs.status ? [] : [{ field: 'status', ours: ours.status, theirs: theirs.status }]),
    ...between(comparable(ours.body), comparable(theirs.body), ''),
  ];
}

function between(ours: unknown, theirs: unknown, field: string): readonly Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    return ours.flatMap((item, place) => between(item, theirs[place], `${field}[]`));
  }
  if (isRecord(ours) && isRecord(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys].flatMap((key) => between(ours[key], theirs[key], field === '' ? key : `${field}.${key}`));
  }
  return Object.is(ours, theirs) || JSON.stringify(ours) === JSON.stringify(theirs)
    ? []
    : [{ field: field || 'body', ours, theirs }];
}

/** Lists that MLflow reads from its database without an order. */
export const unordered =
  /(?:^|\.)(?:tags|aliases|latest_versions|dataset_summaries|params|model_outputs)$|(?:^|\.)data\.metrics$/;

function comparable(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, `${field}[]`));
    return unordered.test(field) ? items.toSorted((a, b) => compareText(JSON.stringify(a), JSON.stringify(b))) : items;
  }
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, comparable(one, field === '' ? key : `${field}.${key}`)]),
    );
  }
  // Times of this run; the calls themselves log other ones.
  if (typeof value === 'number') return value > 1.7e12 && value < 2e12 ? '<time>' : value;
  if (typeof value !== 'string') return value;
  return value.replace(madeUpName, '<name>').replace(pythonSet, inOrder);
}

const madeUpName = /^[a-z]+-[a-z]+-\d{1,3}$/;
/** The order of a Python set changes from process to process. */
const pythonSet = /\{'[^{}]+'\}/g;
const inOrder = (set: string): string => `{${set.slice(1, -1).split(', ').toSorted(compareText).join(', ')}}`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Page tokens of the search over logged models: they carry the query, and hold for no other one. */
import { Buffer } from 'node:buffer';
import { invalid } from '../tracking/names.ts';
import { pythonJson } from './json.ts';

type Query = {
  readonly experimentIds: readonly string[];
  readonly filter: string | undefined;
  readonly orders: readonly Order[];
};

type Order = {
  readonly field_name?: string;
  readonly ascending?: boolean;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
};

export const encodeToken = (offset: number, query: Query): string =>
  Buffer.from(pythonJson({ ...fieldsOf(query), offset })).toString('base64');

/** @returns where the page starts; 0 without a token  @throws PlatformError `tracking/invalid` for the token of another query */
export function decodeToken(token: string | undefined, query: Query): number {
  if (!token) return 0;
  const parsed = parse(Buffer.from(token, 'base64').toString());
  const offset = parsed?.offset;
  if (!parsed || typeof offset !== 'number') throw invalid('page_token', `Invalid page token: ${token}`);
  for (const [name, value] of Object.entries(fieldsOf(query))) {
    if (JSON.stringify(parsed[name] ?? null) === JSON.stringify(value)) continue;
    throw invalid(
      'page_token',
      `${labels[name]} in the page token does not match the requested ${labels[name]?.toLowerCase()}.`,
    );
  }
  return offset;
}

const labels: Readonly<Record<string, string>> = {
  experiment_ids: 'Experiment IDs',
  filter_string: 'Filter string',
  order_by: 'Order by',
};

const fieldsOf = ({ experimentIds, filter, orders }: Query) => ({
  experiment_ids: experimentIds,
  filter_string: filter || null,
  order_by: orders.length === 0 ? null : orders.map(orderOf),
});

const orderOf = ({ field_name = '', ascending = true, dataset_name, dataset_digest }: Order) => ({
  field_name,
  ascending,
  dataset_name: dataset_name || null,
  dataset_digest: dataset_digest || null,
});

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined; // answered as an invalid token by the caller
  }
}

/** The `order_by` clauses of a search: `metrics.loss DESC`, `` params.`batch size` ``, `start_time asc`. */
import { invalid } from './names.ts';
import { type Entity, identify, type Vocabulary } from './search-clause.ts';

export type Order = { readonly entity: Entity; readonly key: string; readonly ascending: boolean };

export const parseOrder = (vocabulary: Vocabulary, clause: string): Order => {
  const { name, ascending } = splitOrder(clause);
  return { ...identify(vocabulary, name, (message) => invalid('order_by', message)), ascending };
};

/** The name in an order clause and its direction. @throws PlatformError `tracking/invalid` */
export function splitOrder(clause: string): { readonly name: string; readonly ascending: boolean } {
  const parts = clause.trim().match(/(?:`[^`]*`|"[^"]*"|[^\s`"]+)+/g) ?? [];
  const [name, direction] = parts;
  const isSeveral = /[,;]/.test(clause.replaceAll(/`[^`]*`|"[^"]*"/g, ''));
  if (name === undefined || parts.length > 2 || isSeveral || /^[+-]?[\d.]+$/.test(name)) {
    throw invalid('order_by', `Invalid order_by clause '${clause}'. Could not be parsed.`);
  }
  if (direction !== undefined && !/^(asc|desc)$/i.test(direction)) {
    throw invalid('order_by', `Invalid ordering key in order_by clause '${clause}'.`);
  }
  return { name, ascending: direction?.toLowerCase() !== 'desc' };
}

/** Each may be a join, and no database takes thousands of them. */
const maxOrders = 100;

/** @throws PlatformError `tracking/invalid` */
export function refuseTooMany({ length }: readonly unknown[]): void {
  if (length <= maxOrders) return;
  throw invalid('order_by', `\`order_by\` has ${length} fields; at most ${maxOrders} are read.`);
}

/** @throws PlatformError `tracking/invalid` when a key is named twice, or when there are too many */
export function refuseDuplicates(orders: readonly Order[], clauses: readonly string[]): void {
  refuseTooMany(orders);
  const seen = new Set<string>();
  for (const { entity, key } of orders) {
    const id = `${entity} ${key}`;
    if (seen.has(id)) {
      const list = clauses.map((clause) => `'${clause}'`).join(', ');
      throw invalid('order_by', `\`order_by\` contains duplicate fields: [${list}]`);
    }
    seen.add(id);
  }
}

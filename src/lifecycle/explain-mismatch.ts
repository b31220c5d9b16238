/** Why a value does not fit a schema, as a person would say it: where, what is wrong, what to write instead. */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { nearest } from './nearest.ts';

export type Problem = {
  /** Keys and indexes from the top. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix?: string;
  /** The key itself is wrong, not what stands under it. */
  readonly ofKey?: true;
};

/** The parts of JSON Schema that our schemas use. */
type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema | readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  /** What can be written: `a duration, such as 14d`. */
  readonly title?: string;
  /** What it means. */
  readonly description?: string;
};

/** @returns nothing when the value fits */
export function explainMismatch(schema: TSchema, value: unknown): readonly Problem[] {
  return explain(schema as Schema, value, []);
}

function explain(schema: Schema, value: unknown, path: Problem['path']): readonly Problem[] {
  // As a plain boolean: as a type guard it would leave nothing of `value`.
  const fits: boolean = Value.Check(schema as TSchema, value);
  if (fits) return [];
  if (schema.anyOf) return explainUnion(schema, value, path);
  if (schema.type === 'object' && isObject(value)) return explainObject(schema, value, path);
  if (schema.type === 'array' && Array.isArray(value)) {
    const { items } = schema;
    const inside = value.flatMap((item: unknown, i) => {
      const of = isList(items) ? items[i] : items;
      return of ? explain(of, item, [...path, i]) : [];
    });
    if (inside.length > 0) return inside;
  }
  return [{ path, message: `${show(value)} does not fit here`, fix: `Write ${expects(schema)}.` }];
}

function explainObject(schema: Schema, value: Record<string, unknown>, path: Problem['path']): readonly Problem[] {
  const { properties = {}, required = [], patternProperties = {}, additionalProperties } = schema;
  const known = Object.keys(properties);
  const problems: Problem[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const pattern = Object.entries(patternProperties).find(([source]) => new RegExp(source, 'u').test(key))?.[1];
    const of = own ?? pattern ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (of) problems.push(...explain(of, inner, [...path, key]));
    else if (additionalProperties === false || known.length === 0) {
      const meant = nearest(key, known);
      problems.push({
        path: [...path, key],
        ofKey: true,
        message: known.length === 0 ? `"${key}" is not a name that can be used here` : `there is no "${key}" here`,
        fix: meant ? `Did you mean "${meant}"?` : `Known are ${known.join(', ')}.`,
      });
    }
  }
  for (const key of required) {
    if (!Object.hasOwn(value, key)) {
      const about = properties[key]?.description;
      problems.push({
        path,
        message: `"${key}" is missing`,
        fix: `Add ${key}: ${about ? `${about}` : expects(properties[key] ?? {})}`,
      });
    }
  }
  return problems.length > 0
    ? problems
    : [{ path, message: 'this does not fit here', fix: `Write ${expects(schema)}.` }];
}

/** Of several forms, the one that shares most keys with what was written is the one that was meant. */
function explainUnion(schema: Schema, value: unknown, path: Problem['path']): readonly Problem[] {
  const { anyOf: forms = [] } = schema;
  const literals = forms.filter((form) => form.const !== undefined).map((form) => String(form.const));
  if (isObject(value)) {
    const ranked = forms
      .filter((form) => form.type === 'object')
      .map((form) => ({
        form,
        shared: Object.keys(value).filter((key) => Object.hasOwn(form.properties ?? {}, key)).length,
      }))
      .sort((a, b) => b.shared - a.shared);
    if (ranked[0] && (ranked[0].shared > 0 || ranked.length === 1)) return explain(ranked[0].form, value, path);
    const keys = [...new Set(forms.flatMap((form) => form.required?.slice(0, 1) ?? []))];
    const meant = Object.keys(value)
      .map((key) => nearest(key, keys))
      .find((key) => key !== undefined);
    return [
      {
        path,
        message: `this is none of the forms that can stand here`,
        fix: meant ? `Did you mean "${meant}"?` : `Write one of ${keys.join(', ')}.`,
      },
    ];
  }
  const meant = typeof value === 'string' ? nearest(value, literals) : undefined;
  const fix = meant ? `Did you mean "${meant}"?` : `Write ${expects(schema)}.`;
  return [{ path, message: `${show(value)} does not fit here`, fix }];
}

function expects(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' or ');
  if (schema.anyOf && !schema.title) return schema.anyOf.map(expects).join(' or ');
  if (schema.title) return schema.title;
  switch (schema.type) {
    case 'object':
      return `keys and values${schema.required?.length ? ` with ${schema.required.join(', ')}` : ''}`;
    case 'array':
      return 'a list';
    case 'integer':
      return 'a whole number';
    case 'string':
      return schema.description
        ? schema.description.replace(/\.$/, '').replace(/^(A |[A-Z](?=[a-z]))/, (first) => first.toLowerCase())
        : 'a text';
    case undefined:
      return 'something else';
    default:
      return `a ${schema.type}`;
  }
}

/** `Array.isArray` does not narrow readonly lists. */
const isList = (items: Schema['items']): items is readonly Schema[] => Array.isArray(items);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'a group of keys' : JSON.stringify(value).slice(0, 60);
}

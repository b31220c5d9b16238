/**
 * Words for the schemas of answers. They describe, and do nothing else: no answer is filtered or checked by its schema, but the
 * compiler holds what a route returns to it, and in tests every answer is held to it.
 */
import { type Static, type TSchema, type TSchemaOptions, Type } from 'typebox';

/** A list as views have it, which nobody changes. */
export const list = <T extends TSchema>(items: T, options: TSchemaOptions = {}) =>
  Type.Immutable(Type.Array(items, options));

/** A field that is left out where there is nothing to tell. */
export const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Unsafe<Static<T> | undefined>(schema));

/** Values by name. */
export const byName = <T extends TSchema>(values: T, description: string) =>
  Type.Record(Type.String(), values, { description });

/** The server's clock. */
export const time = (description?: string) =>
  Type.Integer({ description: `${description === undefined ? '' : `${description}, in `}milliseconds since 1970` });

/** The clock of an endpoint, which is its event time where it has one. */
export const clock = (description?: string) =>
  Type.Number({
    description: `${description === undefined ? '' : `${description}, in `}milliseconds since 1970 on the endpoint's clock`,
  });

export const share = (description: string) => Type.Number({ description: `${description}, 0 to 1` });

export const itemsOf = <T extends TSchema>(item: T) => Type.Object({ items: list(item) });

export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: list(item),
    next: maybe(Type.String({ description: 'The `cursor` of the next page; absent on the last one' })),
  });

/** Long work has begun. */
export const operationStarted = Type.Object({
  operation: Type.String({ description: 'Its state is at `/api/v1/operations/{id}`' }),
});

/** For 204. */
export const done = Type.Unsafe<undefined>(Type.Null({ description: 'Done; there is nothing to tell' }));

/** An answer that is no JSON. */
export const textOf = (mediaType: string, description: string) => ({
  description,
  content: { [mediaType]: { schema: Type.Unsafe<unknown>(Type.String()) } },
});

/** Holds what a server answers to what its routes declare, so that no schema says something else than the route. Tests only. */
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

type Declared = TSchema & {
  readonly type?: string;
  readonly content?: Readonly<Record<string, { readonly schema: TSchema }>>;
};

/** Call before the first route. @returns what was wrong so far; such an answer becomes a 500 as well */
export function checkAnswers(app: FastifyInstance): readonly string[] {
  const wrong: string[] = [];
  const closed = new WeakMap<object, Validator>();
  app.addHook('onSend', (request, reply, payload, done) => {
    const { url = '', schema } = request.routeOptions;
    const type = String(reply.getHeader('content-type') ?? '').split(';', 1)[0] ?? '';
    const responses = schema?.response as Readonly<Record<string, Declared>> | undefined;
    // Routes that tests make up declare nothing; that all others do is what the test of the published document asks.
    if (!responses || reply.statusCode >= 300 || request.method === 'OPTIONS') return done(null, payload);
    const problem = problemOf(responses[reply.statusCode] ?? responses['2xx'], { type, payload, closed });
    if (problem === undefined) return done(null, payload);
    const told = `${request.method} ${url} ${reply.statusCode}: ${problem}`;
    // At once as well: what a test says about the 500 hides what comes out when the server closes.
    console.error(told);
    wrong.push(told);
    done(new Error(problem));
  });
  return wrong;
}

function problemOf(
  declared: Declared | undefined,
  answer: { readonly type: string; readonly payload: unknown; readonly closed: WeakMap<object, Validator> },
): string | undefined {
  const { type, payload, closed } = answer;
  if (declared === undefined) return 'its schema has no such answer';
  if (declared.content !== undefined && declared.content[type] === undefined) return `its schema has no ${type}`;
  if (type !== 'application/json') {
    const isEmpty = payload === undefined || payload === null || payload === '';
    return declared.content !== undefined || (isEmpty && declared.type === 'null') ? undefined : 'it has no JSON';
  }
  const schema = declared.content?.[type]?.schema ?? declared;
  let validator = closed.get(schema);
  if (!validator) {
    validator = Compile(closedSchema(schema) as TSchema);
    closed.set(schema, validator);
  }
  const value: unknown = JSON.parse(String(payload));
  if (validator.Check(value)) return undefined;
  const errors = validator.Errors(value).slice(0, 5);
  return errors.map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`).join('; ');
}

/** The schema with nothing allowed that it does not name. @throws for an intersection, whose parts cannot be closed one by one */
export function closedSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closedSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('allOf' in schema) throw new Error(`spread the properties instead: ${JSON.stringify(schema).slice(0, 200)}`);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closedSchema(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}

/** TypeBox schemas as Fastify's validators: compiled on first use, with JSON Pointers to what is wrong. */
import type { FastifySchemaCompiler } from 'fastify';
import { IsOptional, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { PlatformError } from '../errors.ts';

/** Text in the URL becomes numbers and booleans, and defaults are filled in; a body is taken as it is, but for defaults. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Compiling 300 schemas at start would cost more than the start itself.
  let compiled: Validator | undefined;
  const hasDefaults = JSON.stringify(schema).includes('"default":');
  // Fastify hands over null where there was no body.
  const mayBeAbsent = httpPart === 'body' && IsOptional(schema);
  return (input: unknown) => {
    if (mayBeAbsent && (input === null || input === undefined)) return { value: undefined };
    compiled ??= Compile(schema);
    const filled = hasDefaults ? Value.Default(schema, input) : input;
    const value = httpPart === 'body' ? filled : Value.Convert(schema, filled);
    if (compiled.Check(value)) return { value };
    return { error: invalid(httpPart ?? 'body', compiled.Errors(value)) };
  };
};

type SchemaError = ReturnType<Validator['Errors']>[number];

const partNames: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'the headers',
};

function invalid(part: string, errors: readonly SchemaError[]): PlatformError {
  const at = errors.flatMap(placesOf).slice(0, 20);
  const name = partNames[part] ?? part;
  const [first] = at;
  const subject = first ? `${name}${first.pointer === '' ? '' : ` at ${first.pointer}`} ${first.message}` : name;
  return new PlatformError('http/bad-request', subject, { at });
}

/** A missing or a surplus property is told at its own place, not at the object's. */
function placesOf({
  keyword,
  instancePath,
  params,
  message,
}: SchemaError): readonly { pointer: string; message: string }[] {
  const facts: Readonly<Record<string, unknown>> = params;
  if (keyword === 'required')
    return namesIn(facts.requiredProperties).map((name) => place(instancePath, name, 'is missing'));
  if (keyword === 'additionalProperties') {
    return namesIn(facts.additionalProperties).map((name) => place(instancePath, name, 'is not known here'));
  }
  if (keyword === 'boolean') return [];
  return [{ pointer: instancePath, message }];
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function place(parent: string, name: string, message: string): { pointer: string; message: string } {
  return { pointer: `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message };
}

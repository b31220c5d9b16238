/** Writes docs/reference/rondo-yaml.md: every key of a project file, from the schema that checks it. */
import { projectSchema } from '../src/lifecycle/project-schema.ts';

/** What of JSON Schema the project file uses. */
type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema | readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[] | undefined;
};

/** @returns the page, as it stands in the repository */
export function projectFilePage(): string {
  const parts = Object.entries(partsOf(projectSchema)).filter(([, part]) => isNested(part));
  const plain = Object.entries(partsOf(projectSchema)).filter(([, part]) => !isNested(part));
  return `${[
    '# rondo.yaml',
    'Written by `npm run docs` from the schema that a project file is checked with; a running server has it at ' +
      '`/api/v1/schema/rondo.json`, for editors. A mistake is told with its line, its column and what was meant. ' +
      'Keys marked with * are needed where the part they belong to is there. `examples/flights/rondo.yaml` uses nearly all of them.',
    `| Key | Takes | |\n|---|---|---|\n${plain.map(([name, part]) => row(name, part, true)).join('\n')}`,
    ...parts.map(
      ([name, part]) =>
        `## ${name}\n\n${part.description ? `${part.description}\n\n` : ''}| Key | Takes | |\n|---|---|---|\n${keysOf(part, name).join('\n')}`,
    ),
  ].join('\n\n')}\n`;
}

function keysOf(schema: Schema, path: string): readonly string[] {
  if (schema.anyOf?.some(isNested)) {
    // Forms of one thing, each with a key that the others do not have.
    return schema.anyOf.flatMap((form) =>
      isNested(form)
        ? [
            ...(form.description ? [`| \`${path}\` | ${formOf(form)} | ${cell(form.description)} |`] : []),
            ...keysOf(form, path),
          ]
        : [],
    );
  }
  if (schema.type === 'array') return keysOf(itemOf(schema), `${path}[]`);
  const [named] = Object.values(schema.patternProperties ?? {});
  if (named) return keysOf(named, `${path}.<name>`);
  return Object.entries(partsOf(schema)).flatMap(([name, part]) => {
    const at = `${path}.${name}`;
    const own = row(at, part, schema.required?.includes(name) ?? false);
    return isNested(part) ? [own, ...keysOf(part, at)] : [own];
  });
}

const partsOf = (schema: Schema): Readonly<Record<string, Schema>> => schema.properties ?? {};
const itemOf = ({ items }: Schema): Schema => (Array.isArray(items) ? {} : ((items as Schema | undefined) ?? {}));
const isNested = (schema: Schema): boolean =>
  schema.properties !== undefined ||
  Object.values(schema.patternProperties ?? {}).some((part) => part.properties !== undefined) ||
  (schema.anyOf?.some((form) => form.properties !== undefined) ?? false) ||
  (schema.type === 'array' && isNested(itemOf(schema)));

const row = (path: string, schema: Schema, isNeeded: boolean): string =>
  `| \`${path}\`${isNeeded ? ' *' : ''} | ${cell(takes(schema))} | ${cell(schema.description ?? '')} |`;

/** `{drift: …}` */
const formOf = ({ required = [] }: Schema): string => `{${required.map((name) => `${name}: …`).join(', ')}}`;

function takes(schema: Schema): string {
  if (schema.title) return schema.title.replace(/(:|, such as).*/, '');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((one) => `\`${String(one)}\``).join(', ');
  if (schema.anyOf)
    return [...new Set(schema.anyOf.map((form) => (form.properties ? formOf(form) : takes(form))))].join(' or ');
  switch (schema.type) {
    case 'array':
      return Array.isArray(schema.items)
        ? `[${schema.items.map(takes).join(', ')}]`
        : isNested(itemOf(schema)) && !itemOf(schema).anyOf
          ? 'a list'
          : `a list, each ${takes(itemOf(schema))}`;
    case 'object':
      return schema.patternProperties && !isNested(schema) ? 'values by name' : 'keys, below';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'boolean':
      return '`true`, `false`';
    default:
      return 'text';
  }
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');

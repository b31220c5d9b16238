/** Reads rondo.yaml: what is wrong with it comes with its line, its column and what to write instead. */
import { hash } from 'node:crypto';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import { PlatformError } from '../errors.ts';
import { checkProject } from './check-project.ts';
import { explainMismatch, type Problem } from './explain-mismatch.ts';
import { type ProjectConfig, projectSchema } from './project-schema.ts';

export type ProjectFile = {
  readonly config: ProjectConfig;
  /** sha256 of the text: the same file reads the same. */
  readonly digest: string;
};

export type FileProblem = Problem & { readonly line: number; readonly column: number };

const mostBytes = 256 * 1024;

/** @param file how messages call it  @throws PlatformError lifecycle/invalid-project with every problem there is */
export function parseProject(text: string, file = 'rondo.yaml'): ProjectFile {
  const problems = problemsOf(text);
  if ('config' in problems) return { config: problems.config, digest: hash('sha256', text) };
  const [first] = problems.found;
  const where = first ? `${file}:${first.line}:${first.column}: ${first.message}` : file;
  const more = problems.found.length - 1;
  throw new PlatformError('lifecycle/invalid-project', file, {
    message: more > 0 ? `${where} (and ${more} more)` : where,
    hint: first?.fix ?? 'GET /api/v1/schema/rondo.json has everything that may stand there; editors read it',
    at: problems.found.map((one) => ({
      pointer: one.path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      message: `${one.line}:${one.column} ${one.message}${one.fix ? `. ${one.fix}` : ''}`,
    })),
    data: { problems: problems.found },
  });
}

function problemsOf(text: string): { readonly config: ProjectConfig } | { readonly found: readonly FileProblem[] } {
  if (Buffer.byteLength(text) > mostBytes) {
    return { found: [{ path: [], line: 1, column: 1, message: 'the file is larger than 256 KiB' }] };
  }
  const lines = new LineCounter();
  // Core schema only, no tags, every key once: a project file is data, it does not compute.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, schema: 'core' });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    return { found: document.errors.map((error) => ({ path: [], ...syntaxProblem(error), ...at(error.pos[0]) })) };
  }
  const forbidden = forbiddenIn(document).map(({ offset, message }) => ({ path: [], message, ...at(offset) }));
  if (forbidden.length > 0) return { found: forbidden };

  if (document.contents === null) {
    return { found: [{ path: [], line: 1, column: 1, message: 'the file is empty', fix: emptyFix }] };
  }
  const value: unknown = document.toJS({ maxAliasCount: 20 });
  const place = ({ ofKey, ...problem }: Problem): FileProblem => ({
    ...problem,
    ...at(offsetOf(document, problem.path, { ofKey: ofKey ?? false })),
  });
  const mismatches = explainMismatch(projectSchema, value);
  if (mismatches.length > 0) return { found: mismatches.map(place) };
  const config = value as ProjectConfig; // explainMismatch has checked it against the schema
  const contradictions = checkProject(config);
  return contradictions.length > 0 ? { found: contradictions.map(place) } : { config };
}

const emptyFix = 'Write at least `project: <name>`; `rondo init` writes one to begin with.';

function syntaxProblem({ code, message }: YAMLParseError): Pick<Problem, 'message' | 'fix'> {
  return code === 'DUPLICATE_KEY'
    ? { message: 'this key stands here twice', fix: 'Keep one of them.' }
    : { message, fix: 'It is not YAML: mind the indentation, and quote a value that has ": " or " #" in it.' };
}

const mostDeep = 20;

function forbiddenIn(document: Document): readonly { readonly offset: number; readonly message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Node(_, node, ancestors) {
      const offset = node.range?.[0] ?? 0;
      if (!isAlias(node) && node.tag !== undefined)
        found.push({ offset, message: `tags such as ${node.tag} are not read` });
      if (isAlias(node)) found.push({ offset, message: 'aliases are not read: write the value out' });
      if (ancestors.length <= mostDeep * 2) return;
      found.push({ offset, message: `nested deeper than ${mostDeep} levels` });
      return visit.BREAK;
    },
  });
  return found;
}

/** Where the value at a path stands; for a key that is not there, its parent. */
function offsetOf(document: Document, path: Problem['path'], { ofKey }: { readonly ofKey: boolean }): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [depth, key] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : item.key) === String(key));
      if (!pair) return offset;
      // The key itself is what is wrong, or what leads to it.
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else return offset;
    if (depth === path.length - 1 && !ofKey && isScalar(node)) offset = node.range?.[0] ?? offset;
  }
  return offset;
}

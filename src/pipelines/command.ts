/**
 * The command of a step, as arguments: it is never given to a shell, so a parameter can hold anything and still is one argument.
 *
 *   command = word { blank word }
 *   word    = { plain | '…' | "…" | \x | ${params.name} | ${seed} }
 *
 * Blanks separate words unless quoted or escaped. In single quotes nothing is special; in double quotes only \ and ${…} are. A value
 * that is put in is never split or unquoted again. What only a shell could do (| & ; < > ` $( * ? ~ and variables) is refused
 * outside quotes and not passed on as if it had worked; put it into a script and run that.
 */
import { PlatformError } from '../errors.ts';
import type { ParamValue } from './pipeline-config.ts';

export type CommandValues = { readonly params: Readonly<Record<string, ParamValue>>; readonly seed?: number };

export function parseCommand(text: string, values: CommandValues): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === "'" && char !== "'") word = (word ?? '') + char;
    else if (char === quote) quote = undefined;
    else if (char === '\\' && at + 1 < text.length) {
      at += 1;
      word = (word ?? '') + text.charAt(at);
    } else if (char === '$') {
      const name = text.slice(at).match(/^\$\{([^}]*)\}/)?.[1];
      if (name === undefined) throw noShell(text, '$');
      word = (word ?? '') + substitute(name, { text, values });
      at += name.length + 2;
    } else if (quote) word = (word ?? '') + char;
    else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>`*?~()]/.test(char)) throw noShell(text, char);
    else word = (word ?? '') + char;
  }
  if (quote)
    throw new PlatformError('pipelines/bad-command', text, {
      message: `A quotation in the command is not closed: ${text}`,
    });
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new PlatformError('pipelines/bad-command', text);
  return words;
}

function substitute(name: string, { text, values: { params, seed } }: { text: string; values: CommandValues }): string {
  if (name === 'seed' && seed !== undefined) return String(seed);
  const param = name.match(/^params\.([A-Za-z_][A-Za-z0-9_]*)$/)?.[1];
  if (param !== undefined && Object.hasOwn(params, param)) return String(params[param]);
  const known = [...Object.keys(params).map((key) => `params.${key}`), ...(seed === undefined ? [] : ['seed'])];
  throw new PlatformError('pipelines/bad-command', text, {
    message: `The command uses \${${name}}, which is not there: ${text}`,
    hint: `There is ${known.map((one) => `\${${one}}`).join(', ') || 'no parameter'}.`,
  });
}

function noShell(text: string, char: string): PlatformError {
  return new PlatformError('pipelines/bad-command', text, {
    message: `The command has an unquoted ${char}, and there is no shell to read it: ${text}`,
    hint: 'Quote it to pass it on as it is, or put the line into a script and run that.',
  });
}

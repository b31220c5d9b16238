/** The page of the command line: every command's own help. */
import { type Host, runCommand } from '../src/cli/program.ts';

/** @returns docs/reference/cli.md as it stands in the repository */
export async function commandsPage(): Promise<string> {
  const top = await helpOf([]);
  const sections: string[] = [];
  for (const name of commandsIn(top)) {
    const help = await helpOf([name]);
    sections.push(section([name], help));
    for (const verb of commandsIn(help)) sections.push(section([name, verb], await helpOf([name, verb])));
  }
  return `# The command line\n\nWritten by \`npm run docs\` from the commands' own help.\n\n${[block(top), ...sections].join('\n\n')}\n`;
}

/** In this process, at the width of a terminal. */
async function helpOf(words: readonly string[]): Promise<string> {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text), columns: 80 };
  const never = () => {
    throw new Error('help needs neither settings nor a server');
  };
  const host: Host = {
    version: '',
    cwd: '.',
    stdin: new ReadableStream(),
    stdout: stream,
    stderr: stream,
    signal: new AbortController().signal,
    clientConfig: never,
    startOptions: never,
    openInside: never,
    startServer: never,
  };
  await runCommand([...words, '--help'], host);
  return said.join('').trimEnd();
}

/** The names in the lists of commands of a help text. */
function commandsIn(help: string): readonly string[] {
  const lists = help
    .split('\n\n')
    .filter((part) => /^[\w ]+:\n/.test(part) && !/^(Options|Arguments|Usage)\b/.test(part));
  return lists.flatMap((part) => [...part.matchAll(/^ {2}([a-z][\w-]*)(?= )/gm)].map(([, name = '']) => name));
}

const section = (words: readonly string[], help: string): string =>
  `${words.length === 1 ? '##' : '###'} rondo ${words.join(' ')}\n\n${block(help)}`;

const block = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

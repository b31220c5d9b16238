/** `rondo users`: people and their tokens. */
import { Option } from 'commander';
import { roles } from '../http/permission.ts';
import { path } from './api-client.ts';
import { type DefineCommand, wholeNumber } from './command.ts';
import { readFirstLine } from './input.ts';
import { table, timeText } from './table.ts';

type User = { name: string; role: string; createdAt: number; hasPassword: boolean };
type Token = {
  id: string;
  user: string;
  label: string;
  role: string;
  createdAt: number;
  expiresAt?: number;
  lastUsedAt?: number;
};

export const define: DefineCommand = (command, { api, output, signal, stdin }) => {
  command
    .command('add')
    .description('add a person or a program; the first administrator makes addresses beyond loopback possible')
    .argument('<name>', 'lower case letters, digits, dots, dashes')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('editor'))
    .option('--password-stdin', 'read the password from standard input; without one, it signs in with tokens')
    .action(async (name: string, options: { role: string; passwordStdin?: boolean }) => {
      const password = options.passwordStdin ? await readFirstLine(stdin) : await askPassword(name);
      const body = { name, role: options.role, ...(password !== undefined && { password }) };
      const added = await (await api({ create: true })).call<User>('POST', '/api/v1/users', { body, signal });
      output.result(added, () => `Added ${added.name} (${added.role}).`);
      if (!added.hasPassword) output.hint(`It signs in with tokens: rondo users token ${name}`);
    });

  command
    .command('token')
    .description('make a token; it is shown once')
    .argument('<name>', 'the user it belongs to')
    .option('--label <text>', 'what it is for', 'cli')
    .addOption(new Option('--role <role>', "at most the user's own").choices(roles))
    .option('--days <n>', 'until it expires', wholeNumber, 90)
    .action(async (user: string, { label, role, days }: { label: string; role?: string; days: number }) => {
      const body = { user, label, days, ...(role !== undefined && { role }) };
      const made = await (await api({ create: true })).call<Token & { token: string }>('POST', '/api/v1/tokens', {
        body,
        signal,
      });
      output.result(made, ({ token }) => token);
      output.hint(
        `Shown once. It expires on ${timeText(made.expiresAt)}. Use it as RONDO_TOKEN or MLFLOW_TRACKING_TOKEN.`,
      );
    });

  command
    .command('list')
    .description('list people and tokens')
    .action(async () => {
      const client = await api();
      const [users, tokens] = await Promise.all([
        client.call<{ items: User[] }>('GET', '/api/v1/users', { signal }),
        client.call<{ items: Token[] }>('GET', '/api/v1/tokens', { signal }),
      ]);
      output.result({ users: users.items, tokens: tokens.items }, () =>
        users.items.length === 0
          ? 'Nobody yet: on loopback whoever reaches the server is its owner.'
          : `${table(users.items, [
              { title: 'user', cell: ({ name }) => name },
              { title: 'role', cell: ({ role }) => role },
              { title: 'password', cell: ({ hasPassword }) => (hasPassword ? 'yes' : 'no') },
            ])}\n\n${table(tokens.items, [
              { title: 'token', cell: ({ id }) => id },
              { title: 'user', cell: ({ user }) => user },
              { title: 'label', cell: ({ label }) => label },
              { title: 'role', cell: ({ role }) => role },
              { title: 'expires', cell: ({ expiresAt }) => timeText(expiresAt) },
              { title: 'last used', cell: ({ lastUsedAt }) => timeText(lastUsedAt) },
            ])}`,
      );
    });

  command
    .command('remove')
    .description('remove a user and its tokens')
    .argument('<name>')
    .action(async (name: string) => {
      await (await api()).call('DELETE', path`/api/v1/users/${name}`, { signal });
      output.result({ removed: name }, () => `Removed ${name}.`);
    });

  command
    .command('revoke')
    .description('revoke a token')
    .argument('<token-id>')
    .action(async (id: string) => {
      await (await api()).call('DELETE', path`/api/v1/tokens/${id}`, { signal });
      output.result({ revoked: id }, () => `Revoked ${id}.`);
    });

  async function askPassword(name: string): Promise<string | undefined> {
    if (!output.interactive) return undefined;
    const { isCancel, password } = await import('@clack/prompts');
    const answer = await password({ message: `Password of ${name} (empty: tokens only)` });
    return isCancel(answer) || answer === undefined || answer === '' ? undefined : answer;
  }
};

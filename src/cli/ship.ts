/** `rondo ship`: the gates first, then the guarded move. */
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import { type DefineCommand, duration } from './command.ts';
import { exitOfOutcome, type Outcome, type VerdictView, verdictTable } from './verdicts.ts';
import { versionOf } from './version-name.ts';
import { watchOperation } from './watch-operation.ts';

type GateReport = { outcome: Outcome; tests: { test: string; verdict: VerdictView }[] };
type Rollout = { id: string; endpoint: string; state: string; says: string };
type Version = { version: number; project: string };
type Options = {
  to?: string;
  reason?: string;
  allowUndecided?: boolean;
  forceGates?: boolean;
  dryRun?: boolean;
  timeout?: number;
};

export const define: DefineCommand = (command, { api, output, signal, setExitCode }) => {
  command
    .argument('<version>', 'flight-delay@3; the newest without a number')
    .option('--to <endpoint>', "the endpoint; the one of the model's project without it")
    .option('--reason <text>', 'stands in the audit log')
    .option('--dry-run', 'run the gates and stop there')
    .option('--allow-undecided', 'exit with 0 when the gates cannot tell for lack of data')
    .option('--force-gates', 'roll out whatever the gates say; the log keeps who did')
    .option('--timeout <duration>', 'wait for the gates at most so long', duration)
    .action(async (text: string, options: Options) => {
      const client = await api();
      const found = await findVersion(client, text);
      const name = `${found.model}@${found.version}`;
      const { operation } = await client.call<{ operation: string }>(
        'POST',
        path`/api/v1/models/${found.model}/versions/${found.version}/gates`,
        { body: {}, signal },
      );
      const gates = await watchOperation<GateReport>(
        { api: client, output, signal, timeoutMs: options.timeout },
        operation,
      );
      const tests = () => verdictTable(gates.tests.map(({ test, verdict }) => ({ name: test, verdict })));
      const exit = exitOfOutcome(gates.outcome, { allowUndecided: options.allowUndecided === true });
      if (options.dryRun || (gates.outcome !== 'pass' && !options.forceGates)) {
        output.result({ version: name, gates }, () => `${name}: gates ${gates.outcome}\n\n${tests()}`);
        if (gates.outcome !== 'pass') output.hint('Not shipped.');
        return setExitCode(exit);
      }
      const endpoint = options.to ?? (await endpointOf(client, found.project));
      const body = {
        model: found.model,
        version: found.version,
        ...(options.reason !== undefined && { reason: options.reason }),
        ...(options.forceGates && { force: { gates: true } }),
      };
      const rollout = await client.call<Rollout>('POST', path`/api/v1/endpoints/${endpoint}/rollouts`, {
        body,
        signal,
      });
      output.result(
        { version: name, gates, rollout },
        () => `${name}: gates ${gates.outcome}\n\n${tests()}\n\nRollout ${rollout.id} on ${endpoint}: ${rollout.says}`,
      );
      output.hint(`Watch it: rondo rollout watch ${rollout.id}`);
    });

  async function findVersion(
    client: ApiClient,
    text: string,
  ): Promise<{ model: string; version: number; project: string }> {
    const { model, version } = versionOf(text);
    if (version !== undefined) {
      const found = await client.call<Version>('GET', path`/api/v1/models/${model}/versions/${version}`, { signal });
      return { model, version, project: found.project };
    }
    const { project, versions } = await client.call<{ project: string; versions: Version[] }>(
      'GET',
      path`/api/v1/models/${model}`,
      { signal },
    );
    const newest = Math.max(0, ...versions.map((one) => one.version));
    if (newest === 0) throw new PlatformError('registry/version-not-found', model, { hint: 'make one: rondo run' });
    return { model, version: newest, project };
  }

  async function endpointOf(client: ApiClient, project: string): Promise<string> {
    const { items } = await client.call<{ items: { name: string; project: string }[] }>('GET', '/api/v1/endpoints', {
      signal,
    });
    const names = items.filter((one) => one.project === project).map(({ name }) => name);
    const [only] = names;
    if (names.length === 1 && only !== undefined) return only;
    throw new PlatformError('cli/usage', '--to', {
      message: `The project ${project} has ${names.length} endpoints: name one.`,
      hint: names.length === 0 ? 'add `endpoint:` to its rondo.yaml' : `--to ${names.join(' | --to ')}`,
    });
  }
};

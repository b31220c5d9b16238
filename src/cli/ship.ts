/** `rondo ship`: the gates first, then the guarded move; the server does both, whether somebody waits or not. */
import { InvalidArgumentError } from 'commander';
import { PlatformError } from '../errors.ts';
import { type ApiClient, path } from './api-client.ts';
import { type DefineCommand, duration } from './command.ts';
import { projectName } from './project.ts';
import { exitOfOutcome, type Outcome, type VerdictView, verdictTable } from './verdicts.ts';
import { versionOf } from './version-name.ts';
import { watchOperation } from './watch-operation.ts';

type GateTest = { test: string; verdict: VerdictView; applies: boolean; onInconclusive: string };
type GateReport = { outcome: Outcome; tests: GateTest[] };
type Rollout = { id: string; endpoint: string; state: string; says: string };
type Shipped = { rollout: string; endpoint: string; gates: GateReport | null };
type Target = { project: string; model?: string; version?: number };
type Options = {
  project?: string;
  reason?: string;
  allowUndecided?: boolean;
  forceGates?: boolean;
  shadow: boolean;
  from?: string;
  dryRun?: boolean;
  timeout?: number;
};

export const define: DefineCommand = (command, { api, output, signal, cwd, setExitCode }) => {
  command
    .argument(
      '[version]',
      "flight-delay@3; the newest without a number; the newest of this folder's project without it",
    )
    .option('--project <name>', "the project; this folder's, or the one of the model, without it")
    .option('--reason <text>', 'stands in the audit log; forcing needs one')
    .option('--dry-run', 'run the gates and stop there')
    .option('--allow-undecided', 'exit with 0 when the gates cannot tell for lack of data')
    .option('--force-gates', 'roll out whatever the gates say; the log keeps who did')
    .option('--no-shadow', 'begin with answers that count')
    .option('--from <share>', "begin at this one of the rollout's steps: 5%", percent)
    .option('--timeout <duration>', 'wait for the gates at most so long; it goes on', duration)
    .action(async (text: string | undefined, options: Options) => {
      const client = await api();
      const target = await findTarget(client, text, options.project);
      const watch = { api: client, output, signal, timeoutMs: options.timeout };
      if (options.dryRun) {
        const { model, version } = await versionToTest(client, target);
        const gates = path`/api/v1/models/${model}/versions/${version}/gates`;
        const { operation } = await client.call<{ operation: string }>('POST', gates, { body: {}, signal });
        return tellGates(`${model}@${version}`, await watchOperation<GateReport>(watch, operation), options);
      }
      const { operation, model, version } = await client.call<{ operation: string; model: string; version: number }>(
        'POST',
        path`/api/v1/projects/${target.project}/ship`,
        { body: wish(target, options), signal },
      );
      try {
        const shipped = await watchOperation<Shipped>(watch, operation);
        await tellShipped(client, `${model}@${version}`, shipped);
      } catch (error) {
        if (!(error instanceof PlatformError && error.code === 'rollouts/gates-not-passed')) throw error;
        const report = path`/api/v1/models/${model}/versions/${version}/gates`;
        tellGates(`${model}@${version}`, await client.call<GateReport>('GET', report, { signal }), options);
        output.hint(`Not shipped. To do it all the same: --force-gates --reason "…"`);
      }
    });

  /** Gates that do not pass are a result, and an exit code. */
  function tellGates(name: string, gates: GateReport, { allowUndecided = false }: Options): void {
    output.result({ version: name, gates }, () => gatesText(name, gates));
    setExitCode(exitOfOutcome(gates.outcome, { allowUndecided }));
  }

  async function tellShipped(client: ApiClient, name: string, shipped: Shipped): Promise<void> {
    const rollout = await client.call<Rollout>('GET', path`/api/v1/rollouts/${shipped.rollout}`, { signal });
    const { gates } = shipped;
    output.result({ version: name, gates, rollout }, () => {
      const tested = gates ? gatesText(name, gates) : `${name}: the project has no gates`;
      return `${tested}\n\nRollout ${rollout.id} on ${rollout.endpoint}: ${rollout.says}`;
    });
    output.hint(`Watch it: rondo rollout watch ${rollout.id}`);
  }

  async function findTarget(client: ApiClient, text: string | undefined, named: string | undefined): Promise<Target> {
    if (text === undefined) return { project: await projectName(cwd, named) };
    const { model, version } = versionOf(text);
    const { project } = await client.call<{ project: string }>('GET', path`/api/v1/models/${model}`, { signal });
    return { project: named ?? project, model, ...(version !== undefined && { version }) };
  }

  /** The newest where none is named. */
  async function versionToTest(client: ApiClient, { project, model: named, version }: Target) {
    const model = named ?? (await modelOf(client, project));
    if (version !== undefined) return { model, version };
    const { versions } = await client.call<{ versions: { version: number }[] }>('GET', path`/api/v1/models/${model}`, {
      signal,
    });
    const newest = Math.max(0, ...versions.map((one) => one.version));
    if (newest === 0) throw new PlatformError('lifecycle/nothing-to-ship', model);
    return { model, version: newest };
  }

  async function modelOf(client: ApiClient, project: string): Promise<string> {
    const { items } = await client.call<{ items: { name: string; project: string }[] }>('GET', '/api/v1/models', {
      signal,
    });
    const found = items.find((one) => one.project === project);
    if (!found) throw new PlatformError('lifecycle/nothing-to-ship', project);
    return found.name;
  }
};

function wish({ model, version }: Target, { reason, forceGates, shadow, from }: Options) {
  const force = {
    ...(forceGates && { gates: true }),
    ...(!shadow && { shadow: true }),
    ...(from !== undefined && { from }),
  };
  return {
    ...(model !== undefined && { model }),
    ...(version !== undefined && { version }),
    ...(Object.keys(force).length > 0 && { force }),
    ...(reason !== undefined && { reason }),
  };
}

function gatesText(name: string, { outcome, tests }: GateReport): string {
  return `${name}: gates ${outcome}\n\n${verdictTable(tests.map((test) => ({ name: test.test, says: countsAs(test), verdict: test.verdict })))}`;
}

/** What a test adds to the outcome, where that is not its verdict. */
function countsAs({ applies, onInconclusive, verdict }: GateTest): string {
  if (!applies) return 'does not apply';
  return verdict.outcome === 'inconclusive' && onInconclusive === 'pass' ? 'inconclusive, let pass' : verdict.outcome;
}

function percent(text: string): string {
  const [, number] = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write 5%.');
  return `${number}%`;
}

/** Where an endpoint is in its loop: from data over run, gates, shadow and canary to live, and back by what monitoring found. */
import { isOpen, useAlerts } from '../../data/alerts.ts';
import type { Endpoint, VersionRef } from '../../data/endpoints.ts';
import { useEvents } from '../../data/event.ts';
import { countsAs, useGates, useVersion } from '../../data/models.ts';
import { isOver, type RolloutSummary, sayPlace, useRollout } from '../../data/rollouts.ts';
import { useRun } from '../../data/runs.ts';
import { count, day, duration, percent } from '../../format.ts';
import { Loop, type LoopProps, type Station } from '../../parts/loop.tsx';
import { SectionHead } from '../../parts/page-head.tsx';

export function EndpointLoop({ endpoint, rollouts }: { endpoint: Endpoint; rollouts: readonly RolloutSummary[] }) {
  const own = rollouts.filter((rollout) => rollout.endpoint === endpoint.name);
  const running = own.find(({ state }) => !isOver(state));
  const turned = own.find(({ state }) => state === 'promoted');
  const inView = running ?? turned;
  const view = useRollout(inView?.id).data;
  const notes = useNotes(endpoint, inView?.challenger ?? endpoint.champion);
  const because = useReturn(running);
  const { champion } = endpoint;
  const share = running?.share ?? 0;
  const shadowed = view?.traffic.shadow?.requests ?? 0;
  const challenger: LoopProps['challenger'] = running && {
    label: `v${running.challenger.version} ${sayPlace(running)}`,
    at: stationOf(running),
  };
  const finding = [
    champion ? `v${champion.version} is live` : 'nothing is live',
    running ? `v${running.challenger.version} is ${sayPlace(running)}` : 'nothing is on its way',
    because,
  ]
    .filter(Boolean)
    .join('; ');
  return (
    <div className="loop">
      <SectionHead title={`Where ${endpoint.name} is in its loop`} aside={turned && lastTurn(turned)} />
      <Loop
        finding={`The loop of ${endpoint.name}: ${finding}.`}
        notes={{ ...notes, ...(shadowed > 0 && { Shadow: { text: `${count(shadowed)} mirrored` } }) }}
        champion={
          champion && { label: share > 0 ? `v${champion.version} at ${percent(1 - share)}` : `v${champion.version}` }
        }
        challenger={challenger}
        because={because}
      />
    </div>
  );
}

function useNotes(endpoint: Endpoint, ref: VersionRef | undefined): LoopProps['notes'] {
  const version = useVersion(ref).data;
  const run = useRun(version?.runId).data;
  const gates = useGates(ref).data;
  const alerts = (useAlerts().data?.items ?? []).filter(
    (alert) => alert.endpoint === endpoint.name && isOpen(alert),
  ).length;
  const dataset = version?.lineage.datasets[0];
  const counted = gates?.tests.filter((test) => test.applies);
  const passed = counted?.filter((test) => countsAs(test) === 'pass').length;
  return {
    ...(dataset && { Data: { text: `${dataset.name}@${dataset.version.slice(0, 8)}` } }),
    ...(run?.endedAt !== undefined && { Run: { text: duration(run.endedAt - run.startedAt) } }),
    ...(counted && { Gates: { text: `${passed} of ${counted.length} pass`, bad: gates?.outcome === 'fail' } }),
    ...(alerts > 0 && { Monitor: { text: `${alerts} open ${alerts === 1 ? 'alert' : 'alerts'}`, bad: true } }),
  };
}

/** What made the challenger, when it was no person: written along the way back. */
function useReturn(running: RolloutSummary | undefined): string | undefined {
  const started = useEvents({ limit: 1, order: 'newest', types: 'lifecycle.retraining-started' }).data?.items[0];
  if (!running?.startedBy.startsWith('rule:') || !started) return undefined;
  const trigger = String(started.data['trigger'] ?? 'a policy').split(/[: ]/, 1)[0];
  return `${trigger} on ${day(started.endpointTime ?? started.at)} started v${running.challenger.version}`;
}

function stationOf({ state, share }: RolloutSummary): Station {
  if (state === 'preparing') return 'Gates';
  return share > 0 ? 'Canary' : 'Shadow';
}

/** Nothing to tell of one that was promoted at once. */
function lastTurn({
  startedClock,
  endedClock = startedClock,
  challenger,
  champion,
}: RolloutSummary): string | undefined {
  const took = endedClock - startedClock;
  if (!champion || took < 60_000) return undefined;
  return `last turn: v${challenger.version}, ${day(startedClock)} to ${day(endedClock)}, ${duration(took)}`;
}

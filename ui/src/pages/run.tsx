/** Run: what did it produce, and is it better than what is live? */
import './run/run.css';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useEndpoints } from '../data/endpoints.ts';
import { useMayWrite } from '../data/me.ts';
import { useVersion, useVersionsByRun } from '../data/models.ts';
import { deleteRuns } from '../data/run-list.ts';
import { leadingMetric, type Run, type RunDetails, sayMetric, useExperiments, useRun } from '../data/runs.ts';
import { restoreFromTrash } from '../data/trash.ts';
import { duration, fixed } from '../format.ts';
import { Markdown } from '../parts/markdown/markdown.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded } from '../parts/states.tsx';
import { Charts, ChartsHead, type Live } from './run/charts.tsx';
import { Children } from './run/children.tsx';
import { Files } from './run/files.tsx';
import { Inputs } from './run/inputs.tsx';
import { Where } from './run/where.tsx';

export function RunPage() {
  const { run: id } = useParams({ strict: false });
  const run = useRun(id);
  return (
    <Loaded query={run} what={`run ${id}`}>
      {(data) => <RunView run={data} />}
    </Loaded>
  );
}

/** The run of the version that serves the endpoint of this run's model, if there is another one. */
function useLiveRun(run: Run): Live | undefined {
  const endpoints = useEndpoints().data?.items ?? [];
  const model = useVersionsByRun().get(run.id)?.[0]?.model;
  const champion = endpoints.map((endpoint) => endpoint.champion).find((ref) => ref && (!model || ref.model === model));
  const version = useVersion(champion).data;
  const live = useRun(version?.runId).data;
  return useMemo(
    () => (champion && live && live.id !== run.id ? { run: live, version: champion.version } : undefined),
    [champion, live, run.id],
  );
}

function RunView({ run }: { run: RunDetails }) {
  const live = useLiveRun(run);
  const lead = leadingMetric([run]);
  const own = lead ? run.metrics[lead.key] : undefined;
  const other = lead && live ? live.run.metrics[lead.key] : undefined;
  const name = lead && sayMetric(lead.key);
  const gap = typeof own === 'number' && typeof other === 'number' ? own - other : undefined;
  const title = [
    `${run.name}${typeof own !== 'number' ? '' : `: ${name} ${fixed(own, 3)}`}`,
    gap === undefined ? '' : `, ${fixed(Math.abs(gap), 3)} ${gap >= 0 ? 'above' : 'below'} the live model’s run`,
  ].join('');
  const parent = useRun(run.parent).data;
  const note = run.tags['mlflow.note.content'];
  const became = useVersionsByRun().get(run.id)?.[0];
  const experiment = useExperiments().data?.items.find(({ id }) => id === run.experimentId);
  return (
    <>
      <PageHead
        title={title}
        below={
          note && (
            <div className="note">
              <Markdown text={note} most={600} under={1} />
            </div>
          )
        }
        actions={
          <>
            <Deleting run={run} />
            {live && (
              <Link
                className="btn"
                to="/compare"
                search={{ runs: `${run.id},${live.run.id}` } as never} // The compare page's own view state.
              >
                Compare with live
              </Link>
            )}
            {became && (
              <Link
                className="btn primary"
                to="/models/$model/$version"
                params={{ model: became.model, version: String(became.version) }}
              >
                Open v{became.version}
              </Link>
            )}
          </>
        }
      >
        {run.deleted && <b>It is in the trash. </b>}
        {sentence(run)} {experiment && `In experiment ${experiment.name}`}
        {run.parent && (
          <>
            , below{' '}
            <Link className="link" to="/runs/$run" params={{ run: run.parent }}>
              {parent?.name ?? 'another run'}
            </Link>
          </>
        )}
        {experiment && '. '}
        {became && (
          <b>
            It became v{became.version} of {became.model}.
          </b>
        )}
      </PageHead>
      <div className="cols run-page">
        <section>
          <ChartsHead live={live} />
          <Charts run={run} live={live} />
          <Files run={run.id} models={run.models} />
          <Children run={run.id} />
        </section>
        <aside>
          <Inputs run={run} live={live} />
          <Where run={run} />
        </aside>
      </div>
    </>
  );
}

/** To the trash and back; what a version needs stays. */
function Deleting({ run }: { run: RunDetails }) {
  const queries = useQueryClient();
  const mayWrite = useMayWrite();
  const change = useMutation({
    mutationFn: () => (run.deleted ? restoreFromTrash('run', [run.id]) : deleteRuns([run.id])),
    onSuccess: () =>
      Promise.all([['run'], ['runs'], ['run-pages']].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  if (!mayWrite) return null;
  return (
    <>
      {change.error && (
        <span className="small bad-text" role="alert">
          {change.error.message}
        </span>
      )}
      <button type="button" className="btn quiet" disabled={change.isPending} onClick={() => change.mutate()}>
        {run.deleted ? 'Bring it back' : 'Delete'}
      </button>
    </>
  );
}

function sentence(run: Run): string {
  const took = run.endedAt === undefined ? undefined : duration(run.endedAt - run.startedAt);
  switch (run.status) {
    case 'FINISHED':
      return `Finished${took ? ` in ${took}` : ''}.`;
    case 'FAILED':
      return `Failed${took ? ` after ${took}` : ''}.`;
    case 'KILLED':
      return `Stopped${took ? ` after ${took}` : ''}.`;
    case 'RUNNING':
      return 'Running now; the charts grow as it reports.';
    case 'SCHEDULED':
      return 'Not started yet.';
  }
}

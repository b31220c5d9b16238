/** Run: what did it produce, and is it better than what is live? */
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { address } from '../data/api.ts';
import { useEndpoints } from '../data/endpoints.ts';
import { useVersion, useVersionsByRun } from '../data/models.ts';
import {
  type Artifact,
  decimalsOf,
  leadingMetric,
  type Run,
  sayMetric,
  useArtifacts,
  useExperiments,
  useMetric,
  useRun,
} from '../data/runs.ts';
import { count, difference, duration, fixed, wallMoment } from '../format.ts';
import { LineChart } from '../parts/line-chart.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';

const metricsShown = 8;

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
function useLiveRun(run: Run): { run: Run; version: number } | undefined {
  const endpoints = useEndpoints().data?.items ?? [];
  const model = useVersionsByRun().get(run.id)?.[0]?.model;
  const champion = endpoints.map((endpoint) => endpoint.champion).find((ref) => ref && (!model || ref.model === model));
  const version = useVersion(champion).data;
  const live = useRun(version?.runId).data;
  return champion && live && live.id !== run.id ? { run: live, version: champion.version } : undefined;
}

function RunView({ run }: { run: Run }) {
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
  const became = useVersionsByRun().get(run.id)?.[0];
  const experiment = useExperiments().data?.items.find(({ id }) => id === run.experimentId);
  return (
    <>
      <PageHead
        title={title}
        actions={
          became && (
            <Link
              className="btn primary"
              to="/models/$model/$version"
              params={{ model: became.model, version: String(became.version) }}
            >
              Open v{became.version}
            </Link>
          )
        }
      >
        {sentence(run)} {experiment && `In experiment ${experiment.name}.`}{' '}
        {became && (
          <b>
            It became v{became.version} of {became.model}.
          </b>
        )}
      </PageHead>
      <div className="cols run-page">
        <section>
          <SectionHead title="What came out" aside={live && `ink is the run of v${live.version}, the live model`} />
          <Charts run={run} live={live} />
          <Files run={run} />
        </section>
        <aside>
          <Inputs run={run} live={live} />
          <Where run={run} />
        </aside>
      </div>
    </>
  );
}

function sentence(run: Run): string {
  const took = run.endedAt === undefined ? undefined : duration(run.endedAt - run.startedAt);
  switch (run.status) {
    case 'FINISHED':
      return `Finished${took ? ` in ${took}` : ''}.`;
    case 'FAILED':
      return `Failed${took ? ` after ${took}` : ''}; its log is among the files.`;
    case 'KILLED':
      return `Stopped${took ? ` after ${took}` : ''}.`;
    case 'RUNNING':
      return 'Running now; the charts grow as it reports.';
    case 'SCHEDULED':
      return 'Not started yet.';
  }
}

function Charts({ run, live }: { run: Run; live: { run: Run; version: number } | undefined }) {
  const keys = Object.keys(run.metrics).filter((key) => !key.startsWith('system/'));
  if (keys.length === 0)
    return (
      <Nothing title="It has logged no metric">mlflow.log_metric("auc", value, step=i) draws a line here.</Nothing>
    );
  return (
    <div className="charts">
      {keys.slice(0, metricsShown).map((key) => (
        <MetricChart key={key} name={key} run={run} live={live} />
      ))}
    </div>
  );
}

function MetricChart({ name, run, live }: { name: string; run: Run; live: { run: Run; version: number } | undefined }) {
  const own = useMetric(run.id, name).data ?? [];
  const other = useMetric(live?.run.id, name).data ?? [];
  const decimals = decimalsOf(name);
  const last = run.metrics[name];
  const compared = live?.run.metrics[name];
  const gap = typeof last === 'number' && typeof compared === 'number' ? last - compared : undefined;
  if (own.length < 2) {
    return (
      <div className="single">
        <h3>{sayMetric(name)}</h3>
        <b>{typeof last !== 'number' ? 'none' : fixed(last, decimals)}</b>
        {gap !== undefined && (
          <span className="i3">
            {difference(gap, decimals)} to v{live?.version}
          </span>
        )}
      </div>
    );
  }
  return (
    <LineChart
      title={sayMetric(name)}
      note={/loss|seconds|error|rmse|mae/.test(name) ? 'lower is better' : 'higher is better'}
      decimals={decimals}
      series={[
        { name: run.name, role: 'challenger', points: own },
        ...(live && other.length > 1 ? [{ name: `v${live.version}`, role: 'champion' as const, points: other }] : []),
      ]}
    />
  );
}

function Inputs({ run, live }: { run: Run; live: { run: Run; version: number } | undefined }) {
  const [all, setAll] = useState(false);
  const data = (of: Run) => of.datasets.map((dataset) => dataset.name).join(', ');
  const rows = [
    ...(data(run) ? [{ key: 'data', own: data(run), other: live ? data(live.run) : undefined }] : []),
    ...Object.entries(run.params).map(([key, own]) => ({ key, own, other: live?.run.params[key] })),
  ].map((row) => ({ ...row, differs: live !== undefined && row.own !== row.other }));
  rows.sort((a, b) => Number(b.differs) - Number(a.differs));
  const differing = rows.filter((row) => row.differs).length;
  const shown = all ? rows : rows.slice(0, Math.max(8, differing));
  return (
    <>
      <SectionHead title="What went in" aside={live && `${differing} of ${rows.length} differ from v${live.version}`} />
      <table className="kv">
        <thead>
          <tr>
            <th>Name</th>
            <th className="num">this run</th>
            {live && <th className="num">v{live.version}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.key} className={row.differs ? 'd' : ''}>
              <td className="mono">{row.key}</td>
              <td className="num">{row.own}</td>
              {live && <td className="num old">{row.other ?? 'none'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <p className="small i2">
          {rows.length - shown.length} more{live ? ' are equal' : ''}.{' '}
          <button type="button" className="as-link link" onClick={() => setAll(true)}>
            Show all
          </button>
        </p>
      )}
    </>
  );
}

function Where({ run }: { run: Run }) {
  const tags = run.tags;
  const facts: [string, string | undefined][] = [
    ['Started', wallMoment(run.startedAt)],
    ['By', run.user ?? tags['mlflow.user']],
    ['Source', tags['mlflow.source.name']],
    ['Code', tags['mlflow.source.git.commit']?.slice(0, 12)],
    ['Execution', tags['rondo.execution']],
    ['Run id', run.id],
  ];
  return (
    <>
      <SectionHead title="Where it ran" />
      <dl className="facts">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name} style={{ display: 'contents' }}>
                <dt>{name}</dt>
                <dd className="mono">{value}</dd>
              </div>
            ),
        )}
      </dl>
    </>
  );
}

function Files({ run }: { run: Run }) {
  const files = useArtifacts(run.id);
  const items = files.data?.items ?? [];
  if (items.length === 0) return null;
  const bytes = items.reduce((sum, file) => sum + file.size, 0);
  return (
    <>
      <SectionHead title="Files" aside={`${count(items.length)} files, ${size(bytes)}`} />
      <table className="files">
        <tbody>
          {items.map((file) => (
            <FileRow key={file.path} run={run.id} file={file} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function FileRow({ run, file, depth = 0 }: { run: string; file: Artifact; depth?: number }) {
  const [open, setOpen] = useState(false);
  const name = file.path.split('/').at(-1);
  return (
    <>
      <tr>
        <td className="mono" style={{ paddingLeft: 8 + depth * 16 }}>
          {file.isFolder ? (
            <button type="button" className="as-link" aria-expanded={open} onClick={() => setOpen(!open)}>
              {name}/
            </button>
          ) : (
            <a className="link" href={address('/get-artifact', { run_id: run, path: file.path })}>
              {name}
            </a>
          )}
        </td>
        <td className="num i2">{file.isFolder ? '' : size(file.size)}</td>
      </tr>
      {open && <Folder run={run} path={file.path} depth={depth + 1} />}
    </>
  );
}

/** Read when it is opened. */
function Folder({ run, path, depth }: { run: string; path: string; depth: number }) {
  const items = useArtifacts(run, path).data?.items ?? [];
  return items.map((file) => <FileRow key={file.path} run={run} file={file} depth={depth} />);
}

export function size(bytes: number): string {
  const unit = bytes < 1e3 ? ['B', 1] : bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  const value = bytes / Number(unit[1]);
  return `${value < 10 && unit[1] !== 1 ? value.toFixed(1) : Math.round(value)} ${unit[0]}`;
}

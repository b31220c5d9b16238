/** Model: which version serves where, and what is its history? */
import './model/model.css';
import { Link, useParams } from '@tanstack/react-router';
import { sharesOf, useEndpoints } from '../data/endpoints.ts';
import { useEvents } from '../data/event.ts';
import { useMayWrite } from '../data/me.ts';
import { formatOf, sizeOf } from '../data/model-format.ts';
import { ownTags, useChangeModel, useModel, type Version } from '../data/models.ts';
import { useRunsNow } from '../data/run-list.ts';
import { decimalsOf, leadingMetric, sayMetric } from '../data/runs.ts';
import { count, fixed, percent, wallMoment } from '../format.ts';
import { Described } from '../parts/described.tsx';
import { News } from '../parts/news.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { VersionTag } from '../parts/version-tag.tsx';
import { Aliases } from './model/aliases.tsx';
import { LabelMoves } from './model/label-moves.tsx';
import { useUnsealed } from './model/unsealed.ts';
import { size } from './run/size.ts';

const mostShown = 200;
/** Of so many versions the run's metric is shown. */
const mostRead = 50;

/** Its format and size. @param read whether to look at the files of one that is not sealed */
function Format({ version, read }: { version: Version; read: boolean }) {
  const unsealed = useUnsealed(version, read);
  const { mark, name } = unsealed?.format ?? formatOf(version);
  const bytes = sizeOf(version) ?? unsealed?.size;
  return (
    <>
      <td className="nowrap">
        <Verdict mark={mark}>{name}</Verdict>
      </td>
      <td className="num">{bytes === undefined ? '' : size(bytes)}</td>
    </>
  );
}

export function ModelPage() {
  const { model: name = '' } = useParams({ strict: false });
  const model = useModel(name);
  const endpoints = (useEndpoints().data?.items ?? []).filter((endpoint) => endpoint.champion?.model === name);
  const events = useEvents({ limit: 200, order: 'newest' });
  const mayWrite = useMayWrite();
  const change = useChangeModel(name);
  const made = (model.data?.versions ?? []).toSorted((a, b) => b.version - a.version).slice(0, mostRead);
  const runs = useRunsNow([...new Set(made.flatMap(({ runId }) => runId ?? []))]).data ?? [];
  const lead = leadingMetric(runs);
  return (
    <Loaded query={model} what={`model ${name}`}>
      {(data) => {
        const hasStages = data.versions.some(({ stage }) => stage !== 'None');
        const hasAliases = data.versions.some(({ aliases }) => aliases.length > 0);
        const shares = endpoints.flatMap((endpoint) =>
          sharesOf(endpoint).map((one) => ({ ...one, on: endpoint.name })),
        );
        const servedAs = (version: number) => shares.find(({ ref }) => ref.model === name && ref.version === version);
        const newest = data.versions.toSorted((a, b) => b.version - a.version).slice(0, mostShown);
        const history = (events.data?.items ?? []).filter(
          ({ subject, type, data: said }) =>
            (subject.startsWith(`model/${name}/`) || said['model'] === name) && !/^registry\.(alias|stage)-/.test(type),
        );
        return (
          <>
            <PageHead
              title={
                endpoints.length > 0
                  ? endpoints.map((endpoint) => `v${endpoint.champion?.version} serves ${endpoint.name}`).join('; ')
                  : `${name} serves nowhere yet`
              }
            >
              {count(data.versions.length)} {data.versions.length === 1 ? 'version' : 'versions'}
              {data.project === 'default' ? '.' : `, in project ${data.project}.`}
            </PageHead>
            <div className="cols two">
              <section>
                {data.versions.length === 0 && (
                  <Nothing title="It has no version yet">
                    <code>{`mlflow.onnx.log_model(…, registered_model_name="${name}")`}</code>
                  </Nothing>
                )}
                <div className="wide" hidden={data.versions.length === 0}>
                  <table className="versions">
                    <thead>
                      <tr>
                        <th>Version</th>
                        <th>Phase</th>
                        {hasAliases && <th>Aliases</th>}
                        {hasStages && <th>Stage</th>}
                        {lead && <th className="num">{sayMetric(lead.key)}</th>}
                        <th>Format</th>
                        <th className="num">Size</th>
                        <th>Registered</th>
                        <th>Run</th>
                      </tr>
                    </thead>
                    <tbody>
                      {newest.map((version) => {
                        const served = servedAs(version.version);
                        const run = runs.find(({ id }) => id === version.runId);
                        const value = lead && run?.metrics[lead.key];
                        return (
                          <tr key={version.version}>
                            <td>
                              <Link
                                to="/models/$model/$version"
                                params={{ model: name, version: String(version.version) }}
                              >
                                <VersionTag version={version.version} standing={served?.role ?? 'other'} />
                              </Link>
                            </td>
                            <td>
                              {version.phase}
                              {served && (
                                <span className="i3">
                                  , {served.share > 0 ? percent(served.share) : 'in the shadow'} of {served.on}
                                </span>
                              )}
                            </td>
                            {hasAliases && (
                              <td>
                                <span className="alias-tags">
                                  {version.aliases.map((alias) => (
                                    <code key={alias} title={alias}>
                                      @{alias}
                                    </code>
                                  ))}
                                </span>
                              </td>
                            )}
                            {hasStages && <td className="i2">{version.stage === 'None' ? '' : version.stage}</td>}
                            {lead && (
                              <td className="num">
                                {typeof value === 'number' ? fixed(value, decimalsOf(lead.key) - 1) : ''}
                              </td>
                            )}
                            <Format version={version} read={made.includes(version)} />
                            <td className="i2">{wallMoment(version.createdAt)}</td>
                            <td>
                              {version.runId && (
                                <Link className="link clip" to="/runs/$run" params={{ run: version.runId }}>
                                  {run?.name ?? version.runId.slice(0, 8)}
                                </Link>
                              )}
                            </td>
                          </tr>
                        );
                      })}
                    </tbody>
                  </table>
                </div>
                {newest.length < data.versions.length && (
                  <p className="small i2 table-foot">
                    The newest {count(newest.length)} of {count(data.versions.length)}.
                  </p>
                )}
              </section>
              <aside>
                <Described
                  title="About it"
                  description={data.description}
                  tags={ownTags(data.tags)}
                  mayWrite={mayWrite}
                  error={change.error}
                  onWrite={(body) => change.mutateAsync({ kind: 'write', body })}
                />
                <Aliases model={data} mayWrite={mayWrite} />
                <LabelMoves model={name} />
                {history.length > 0 && (
                  <>
                    <SectionHead title="What changed" />
                    <News events={history.slice(0, 20)} />
                  </>
                )}
              </aside>
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

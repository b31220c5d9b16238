/** Model: which version serves where, and what is its history? */
import { Link, useParams } from '@tanstack/react-router';
import { useEndpoints } from '../data/endpoints.ts';
import { useEvents } from '../data/event.ts';
import { useModel } from '../data/models.ts';
import { count, wallMoment } from '../format.ts';
import { News } from '../parts/news.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Loaded } from '../parts/states.tsx';
import { VersionTag } from '../parts/version-tag.tsx';

export function ModelPage() {
  const { model: name = '' } = useParams({ strict: false });
  const model = useModel(name);
  const endpoints = (useEndpoints().data?.items ?? []).filter((endpoint) => endpoint.champion?.model === name);
  const events = useEvents({ limit: 200, order: 'newest' });
  return (
    <Loaded query={model} what={`model ${name}`}>
      {(data) => {
        const live = endpoints[0]?.champion;
        const hasAliases = data.versions.some(({ aliases }) => aliases.length > 0);
        const tried = endpoints.flatMap(({ rollout }) => (rollout ? [rollout.challenger.version] : []));
        const roleOf = (version: number) =>
          live?.version === version ? 'champion' : tried.includes(version) ? 'challenger' : 'other';
        const history = (events.data?.items ?? []).filter(
          (event) => event.subject.startsWith(`model/${name}/`) || event.data['model'] === name,
        );
        return (
          <>
            <PageHead
              title={
                live
                  ? `v${live.version} serves ${endpoints.map((endpoint) => endpoint.name).join(', ')}`
                  : `${name} serves nowhere yet`
              }
            >
              {count(data.versions.length)} {data.versions.length === 1 ? 'version' : 'versions'}. {data.description}
            </PageHead>
            <div className="cols two">
              <section>
                <div className="wide">
                  <table>
                    <thead>
                      <tr>
                        <th>Version</th>
                        <th>Phase</th>
                        {hasAliases && <th>Aliases</th>}
                        <th>Registered</th>
                        <th>Run</th>
                      </tr>
                    </thead>
                    <tbody>
                      {[...data.versions]
                        .sort((a, b) => b.version - a.version)
                        .map((version) => (
                          <tr key={version.version}>
                            <td>
                              <Link
                                to="/models/$model/$version"
                                params={{ model: name, version: String(version.version) }}
                              >
                                <VersionTag version={version.version} standing={roleOf(version.version)} />
                              </Link>
                            </td>
                            <td>{version.phase}</td>
                            {hasAliases && <td>{version.aliases.join(', ')}</td>}
                            <td className="i2">{wallMoment(version.createdAt)}</td>
                            <td className="mono">
                              {version.runId && (
                                <Link className="link" to="/runs/$run" params={{ run: version.runId }}>
                                  {version.runId.slice(0, 8)}
                                </Link>
                              )}
                            </td>
                          </tr>
                        ))}
                    </tbody>
                  </table>
                </div>
              </section>
              <aside>
                <SectionHead title="What changed" />
                <News events={history.slice(0, 20)} />
              </aside>
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

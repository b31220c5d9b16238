/** Models: what is there, and what serves? */
import { Link } from '@tanstack/react-router';
import { useEndpoints } from '../data/endpoints.ts';
import { useModels } from '../data/models.ts';
import { count, wallMoment } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { VersionTag } from '../parts/version-tag.tsx';

export function ModelsPage() {
  const models = useModels();
  const endpoints = useEndpoints().data?.items ?? [];
  return (
    <Loaded query={models} what="the models">
      {({ items }) => {
        const live = items.filter((model) =>
          endpoints.some((endpoint) => endpoint.champion?.model === model.name),
        ).length;
        const labelled = items.some(({ aliases }) => aliases.length > 0);
        return (
          <>
            <PageHead
              title={
                items.length === 0
                  ? 'No models yet'
                  : `${count(items.length)} ${items.length === 1 ? 'model' : 'models'}, ${live} live`
              }
            >
              A model becomes live by shipping a version to an endpoint. Aliases and stages are labels: they never move
              traffic.
            </PageHead>
            {items.length === 0 ? (
              <Nothing title="Nothing is registered">
                <code>mlflow.onnx.log_model(…, registered_model_name="…")</code>
              </Nothing>
            ) : (
              <div className="wide">
                <table>
                  <thead>
                    <tr>
                      <th>Model</th>
                      <th>Versions, newest first</th>
                      {labelled && <th>Aliases</th>}
                      <th className="num">In all</th>
                      <th>Newest registered</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((model) => {
                      const newest = [...model.versions].sort((a, b) => b.version - a.version);
                      return (
                        <tr key={model.name}>
                          <td>
                            <Link className="b" to="/models/$model" params={{ model: model.name }}>
                              {model.name}
                            </Link>
                          </td>
                          <td>
                            <span className="tags">
                              {newest.slice(0, 5).map(({ version }) => {
                                const role = endpoints.some(
                                  (endpoint) =>
                                    endpoint.champion?.model === model.name && endpoint.champion.version === version,
                                )
                                  ? 'champion'
                                  : endpoints.some(
                                        (endpoint) =>
                                          endpoint.rollout?.challenger.model === model.name &&
                                          endpoint.rollout.challenger.version === version,
                                      )
                                    ? 'challenger'
                                    : 'other';
                                return (
                                  <Link
                                    key={version}
                                    to="/models/$model/$version"
                                    params={{ model: model.name, version: String(version) }}
                                  >
                                    <VersionTag version={version} standing={role} />
                                  </Link>
                                );
                              })}
                            </span>
                          </td>
                          {labelled && (
                            <td>
                              <span className="tags">
                                {model.aliases.map(({ alias, version }) => (
                                  <span key={alias}>
                                    <code>@{alias}</code> <span className="i2">v{version}</span>
                                  </span>
                                ))}
                              </span>
                            </td>
                          )}
                          <td className="num">{count(model.versions.length)}</td>
                          <td className="i2">{newest[0] ? wallMoment(newest[0].createdAt) : 'none'}</td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

/** Which version each alias names, moved here by whoever may. */
import { type FormEvent, useState } from 'react';
import { type ModelDetails, useChangeModel } from '../../data/models.ts';
import { SectionHead } from '../../parts/page-head.tsx';

export function Aliases({ model, mayWrite }: { model: ModelDetails; mayWrite: boolean }) {
  const change = useChangeModel(model.name);
  const versions = model.versions.map(({ version }) => version).toSorted((a, b) => b - a);
  const newest = versions[0];
  if (newest === undefined || (!mayWrite && model.aliases.length === 0)) return null;
  return (
    <>
      <SectionHead title="Aliases" />
      <ul className="aliases">
        {model.aliases.map(({ alias, version }) => (
          <li key={alias}>
            <code>@{alias}</code>
            {mayWrite ? (
              <>
                <select
                  aria-label={`Version of ${alias}`}
                  value={version}
                  disabled={change.isPending}
                  onChange={(event) =>
                    change.mutate({ kind: 'alias', alias, version: Number(event.currentTarget.value) })
                  }
                >
                  {versions.map((one) => (
                    <option key={one} value={one}>
                      v{one}
                    </option>
                  ))}
                </select>
                <button
                  type="button"
                  className="as-link link"
                  aria-label={`Remove ${alias}`}
                  onClick={() => change.mutate({ kind: 'alias', alias, version: undefined })}
                >
                  Remove
                </button>
              </>
            ) : (
              <span>v{version}</span>
            )}
          </li>
        ))}
      </ul>
      {mayWrite && (
        <NewAlias
          versions={versions}
          newest={newest}
          onAdd={(alias, version) => change.mutateAsync({ kind: 'alias', alias, version })}
        />
      )}
      {change.error && (
        <p role="alert" className="small warn-text">
          {change.error.message}
        </p>
      )}
      <p className="micro i3">A label: it moves traffic only where rondo.yaml has its name under rollout.</p>
    </>
  );
}

function NewAlias({
  versions,
  newest,
  onAdd,
}: {
  versions: readonly number[];
  newest: number;
  onAdd: (alias: string, version: number) => Promise<unknown>;
}) {
  const [alias, setAlias] = useState('');
  const [version, setVersion] = useState(newest);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (alias.trim() === '') return;
    // A refused name stays as it was typed.
    onAdd(alias.trim(), version).then(
      () => setAlias(''),
      () => undefined,
    );
  };
  return (
    <form className="new-alias" onSubmit={submit}>
      <input
        aria-label="New alias"
        placeholder="new alias"
        value={alias}
        onChange={(event) => setAlias(event.currentTarget.value)}
      />
      <select
        aria-label="Its version"
        value={version}
        onChange={(event) => setVersion(Number(event.currentTarget.value))}
      >
        {versions.map((one) => (
          <option key={one} value={one}>
            v{one}
          </option>
        ))}
      </select>
      <button type="submit" className="btn">
        Set
      </button>
    </form>
  );
}

/** Experiments: what has been tried, and where did it happen last? */
import './runs/runs.css';
import { Modal } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import {
  changeExperiment,
  createExperiment,
  deleteExperiment,
  type ListedExperiment,
  useExperimentList,
} from '../data/experiments.ts';
import { ownTags } from '../data/models.ts';
import { restoreFromTrash } from '../data/trash.ts';
import { count, recently } from '../format.ts';
import { useChange, WhyNot } from '../parts/change.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';

type Search = { readonly find?: unknown; readonly deleted?: unknown };
type Dialog = { readonly kind: 'create' } | { readonly kind: 'edit' | 'delete'; readonly of: ListedExperiment };

export function ExperimentsPage() {
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const navigate = useNavigate();
  const deleted = search.deleted === true;
  const sought = search.find === undefined ? '' : String(search.find);
  const list = useExperimentList({ deleted });
  const [dialog, setDialog] = useState<Dialog>();
  const look = (next: { readonly find?: string; readonly deleted?: boolean }) => {
    const { find, deleted: trash } = { find: sought, deleted, ...next };
    const to = { ...(find && { find }), ...(trash && { deleted: true }) };
    void navigate({ to: '/experiments', search: to as never, replace: next.find !== undefined }); // the page's own view state
  };
  const { failed, change } = useChange([['runs']], () => setDialog(undefined));
  return (
    <>
      <Head list={list.data?.items} deleted={deleted} onCreate={() => setDialog({ kind: 'create' })} />
      <div className="filters">
        <input
          type="search"
          className="btn experiment-search"
          aria-label="Find an experiment"
          placeholder="Name or tag"
          value={sought}
          onChange={(event) => look({ find: event.currentTarget.value })}
        />
        <button type="button" className="btn quiet" onClick={() => look({ deleted: !deleted })}>
          {deleted ? 'Back to the experiments' : 'Trash'}
        </button>
      </div>
      {dialog === undefined && <WhyNot failed={failed} />}
      <Loaded query={list} what="the experiments">
        {({ items, next }) => {
          const found = items.filter((experiment) => matches(experiment, sought.toLowerCase()));
          if (found.length === 0) return <Empty sought={sought} deleted={deleted} all={items.length} />;
          return (
            <>
              <Table
                experiments={found}
                deleted={deleted}
                onEdit={(of) => setDialog({ kind: 'edit', of })}
                onDelete={(of) => setDialog({ kind: 'delete', of })}
                onRestore={({ id }) => void change(() => restoreFromTrash('experiment', [id]))}
              />
              <div className="table-foot">
                <span>
                  {count(found.length)} of {count(items.length)}
                  {next !== undefined && ' newest'} {items.length === 1 ? 'experiment' : 'experiments'}
                </span>
              </div>
            </>
          );
        }}
      </Loaded>
      <Modal
        opened={dialog !== undefined}
        onClose={() => setDialog(undefined)}
        title={dialog && titles[dialog.kind]}
        centered
      >
        <WhyNot failed={failed} />
        {dialog?.kind === 'create' && <CreateForm onCreate={(name) => void change(() => createExperiment(name))} />}
        {dialog?.kind === 'edit' && (
          <EditForm of={dialog.of} onChange={(edit) => void change(() => changeExperiment(dialog.of.id, edit))} />
        )}
        {dialog?.kind === 'delete' && (
          <>
            <p>
              {dialog.of.name} goes to the trash with its {count(dialog.of.runs)}{' '}
              {dialog.of.runs === 1 ? 'run' : 'runs'}, and can be brought back from there.
            </p>
            <div className="dialog-actions">
              <button
                type="button"
                className="btn danger"
                data-autofocus
                onClick={() => void change(() => deleteExperiment(dialog.of.id))}
              >
                Delete
              </button>
            </div>
          </>
        )}
      </Modal>
    </>
  );
}

const titles = { create: 'Create an experiment', edit: 'Edit the experiment', delete: 'Delete the experiment' };

const matches = (experiment: ListedExperiment, sought: string): boolean =>
  [experiment.name, experiment.project, ...ownTags(experiment.tags).map(({ key, value }) => `${key}: ${value}`)].some(
    (text) => text.toLowerCase().includes(sought),
  );

type HeadProps = {
  readonly list: readonly ListedExperiment[] | undefined;
  readonly deleted: boolean;
  readonly onCreate: () => void;
};

function Head({ list = [], deleted, onCreate }: HeadProps) {
  const newest = list.toSorted((a, b) => (b.lastRunAt ?? 0) - (a.lastRunAt ?? 0))[0];
  const runs = list.reduce((sum, experiment) => sum + experiment.runs, 0);
  const title = deleted
    ? `${count(list.length)} deleted ${list.length === 1 ? 'experiment' : 'experiments'}`
    : newest?.lastRunAt === undefined
      ? 'No runs in any experiment yet'
      : `Last tried: ${newest.name}, ${recently(newest.lastRunAt)}`;
  return (
    <PageHead
      title={title}
      actions={
        <>
          <Link className="btn" to="/runs">
            All runs
          </Link>
          <button type="button" className="btn primary" onClick={onCreate}>
            Create
          </button>
        </>
      }
    >
      {!deleted &&
        `${count(list.length)} ${list.length === 1 ? 'experiment' : 'experiments'} with ${count(runs)} ${runs === 1 ? 'run' : 'runs'}.`}
    </PageHead>
  );
}

type TableProps = {
  readonly experiments: readonly ListedExperiment[];
  readonly deleted: boolean;
  readonly onEdit: (experiment: ListedExperiment) => void;
  readonly onDelete: (experiment: ListedExperiment) => void;
  readonly onRestore: (experiment: ListedExperiment) => void;
};

function Table({ experiments, deleted, onEdit, onDelete, onRestore }: TableProps) {
  return (
    <div className="wide">
      <table className="experiments">
        <thead>
          <tr>
            <th>Name</th>
            <th>Project</th>
            <th className="num">Runs</th>
            <th>Last run</th>
            <th>Made</th>
            <th>Tags</th>
            <th>
              <span className="seen-only-by-readers">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {experiments.map((experiment) => (
            <tr key={experiment.id}>
              <td className="m nowrap">
                {deleted ? (
                  experiment.name
                ) : (
                  <Link
                    to="/experiments/$experiment"
                    params={{ experiment: experiment.id }}
                    title={experiment.name}
                    data-row
                  >
                    {experiment.name}
                  </Link>
                )}
              </td>
              <td className="i2">{experiment.project}</td>
              <td className="num">{count(experiment.runs)}</td>
              <td className="i2 nowrap">
                {experiment.lastRunAt === undefined ? 'none' : recently(experiment.lastRunAt)}
              </td>
              <td className="i2 nowrap">{recently(experiment.createdAt)}</td>
              <td className="tag-cell">
                {ownTags(experiment.tags).map(({ key, value }) => (
                  <span key={key} className="tag" title={`${key}: ${value}`}>
                    <span className="clip">
                      {key}: {value}
                    </span>
                  </span>
                ))}
              </td>
              <td className="num">
                {deleted ? (
                  <button type="button" className="btn quiet" onClick={() => onRestore(experiment)}>
                    Restore
                    <span className="seen-only-by-readers"> {experiment.name}</span>
                  </button>
                ) : (
                  <>
                    <button type="button" className="btn quiet" onClick={() => onEdit(experiment)}>
                      Edit
                      <span className="seen-only-by-readers"> {experiment.name}</span>
                    </button>
                    {/* Runs that name no experiment need it. */}
                    {experiment.id !== '0' && (
                      <button type="button" className="btn quiet" onClick={() => onDelete(experiment)}>
                        Delete
                        <span className="seen-only-by-readers"> {experiment.name}</span>
                      </button>
                    )}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Empty({ sought, deleted, all }: { sought: string; deleted: boolean; all: number }) {
  if (sought) return <Nothing title={`None of ${count(all)} experiments has “${sought}” in its name or tags`} />;
  return <Nothing title={deleted ? 'The trash holds no experiment' : 'No experiments yet'} />;
}

function CreateForm({ onCreate }: { onCreate: (name: string) => void }) {
  const [name, setName] = useState('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim()) onCreate(name.trim());
  };
  return (
    <form className="form" onSubmit={submit}>
      <label>
        Name
        <input className="btn" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      </label>
      <div className="dialog-actions">
        <button type="submit" className="btn primary" disabled={!name.trim()}>
          Create
        </button>
      </div>
    </form>
  );
}

type Edit = { readonly name: string; readonly tags: Readonly<Record<string, string | null>> };

function EditForm({ of, onChange }: { of: ListedExperiment; onChange: (edit: Edit) => void }) {
  const [name, setName] = useState(of.name);
  const [tags, setTags] = useState(() => ownTags(of.tags).map((tag, id) => ({ ...tag, id })));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const kept = tags.filter(({ key }) => key.trim() !== '').map(({ key, value }) => [key.trim(), value] as const);
    const gone = ownTags(of.tags).filter(({ key }) => !kept.some(([one]) => one === key));
    const before = new Map(of.tags.map(({ key, value }) => [key, value]));
    const changed = kept.filter(([key, value]) => before.get(key) !== value);
    onChange({ name: name.trim(), tags: Object.fromEntries([...gone.map(({ key }) => [key, null]), ...changed]) });
  };
  const set = (id: number, change: { key?: string; value?: string }) =>
    setTags((before) => before.map((tag) => (tag.id === id ? { ...tag, ...change } : tag)));
  return (
    <form className="form" onSubmit={submit}>
      <label>
        Name
        <input className="btn" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      </label>
      <fieldset className="tag-fields">
        <legend>Tags</legend>
        {tags.map(({ id, key, value }) => (
          <div key={id}>
            <input
              className="btn"
              aria-label="Key"
              value={key}
              onChange={(event) => set(id, { key: event.currentTarget.value })}
            />
            <input
              className="btn"
              aria-label={`Value of ${key || 'the new tag'}`}
              value={value}
              onChange={(event) => set(id, { value: event.currentTarget.value })}
            />
            <button
              type="button"
              className="btn quiet"
              aria-label={`Remove ${key || 'the new tag'}`}
              onClick={() => setTags((before) => before.filter((tag) => tag.id !== id))}
            >
              Remove
            </button>
          </div>
        ))}
        <button
          type="button"
          className="btn quiet"
          onClick={() =>
            setTags((before) => [
              ...before,
              { id: Math.max(-1, ...before.map(({ id }) => id)) + 1, key: '', value: '' },
            ])
          }
        >
          Add a tag
        </button>
      </fieldset>
      <div className="dialog-actions">
        <button type="submit" className="btn primary" disabled={!name.trim()}>
          Save
        </button>
      </div>
    </form>
  );
}

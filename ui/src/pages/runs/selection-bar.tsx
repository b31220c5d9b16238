/** What can be done with the selected runs. */
import { Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useEffect, useState } from 'react';
import { deleteRuns, tagRuns, useRunsNow } from '../../data/run-list.ts';
import { type Run, sayMetric } from '../../data/runs.ts';
import { restoreFromTrash } from '../../data/trash.ts';
import { count } from '../../format.ts';
import { keysAreOff, typing } from '../../shell/keys.ts';
import { differences } from './columns.ts';
import type { Selection } from './use-selection.ts';

const mostCompared = 50;

export function SelectionBar({ selection, onChanged }: { selection: Selection; onChanged: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { ids, problem, clear } = selection;
  const chosen = [...ids];
  const [tagging, setTagging] = useState(false);
  const [trashed, setTrashed] = useState<readonly string[]>([]);
  const [failed, setFailed] = useState<string>();
  const runs = useRunsNow(chosen.length <= mostCompared ? chosen : []).data ?? [];
  const canCompare = chosen.length > 1 && chosen.length <= mostCompared;
  const compare = () => void navigate({ to: '/compare', search: { runs: chosen.join(',') } as never });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keysAreOff() || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'c' && canCompare) compare();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  const act = async (work: () => Promise<unknown>, done: () => void) => {
    setFailed(undefined);
    try {
      await work();
      done();
      onChanged();
      void queries.invalidateQueries({ queryKey: ['runs'] });
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  if (chosen.length === 0) {
    if (trashed.length === 0) return null;
    return (
      <div className="compare-bar" role="status">
        <span>
          {count(trashed.length)} {trashed.length === 1 ? 'run is' : 'runs are'} in the trash
        </span>
        {failed && <span className="bad-text">{failed}</span>}
        <button
          type="button"
          className="btn"
          onClick={() =>
            void act(
              () => restoreFromTrash('run', trashed),
              () => setTrashed([]),
            )
          }
        >
          Undo
        </button>
        <button type="button" className="btn quiet" onClick={() => setTrashed([])}>
          Close
        </button>
      </div>
    );
  }
  return (
    <div className="compare-bar" role="status">
      <b className="m">{count(chosen.length)} selected</b>
      <span className="i2">{failed ?? problem ?? differ(runs, chosen.length)}</span>
      <button type="button" className="btn quiet" onClick={clear}>
        Clear
      </button>
      <button type="button" className="btn quiet" onClick={() => setTagging(true)}>
        Tag
      </button>
      <button
        type="button"
        className="btn quiet"
        onClick={() =>
          void act(
            () => deleteRuns(chosen),
            () => {
              setTrashed(chosen);
              clear();
            },
          )
        }
      >
        Delete
      </button>
      {canCompare && (
        <button type="button" className="btn primary" onClick={compare}>
          Compare
        </button>
      )}
      <TagDialog
        opened={tagging}
        runs={chosen.length}
        onClose={() => setTagging(false)}
        onTag={(key, value) =>
          void act(
            () => tagRuns(chosen, { [key]: value }),
            () => setTagging(false),
          )
        }
      />
    </div>
  );
}

function differ(runs: readonly Run[], chosen: number): string {
  if (chosen > mostCompared) return `at most ${mostCompared} are compared at once`;
  if (chosen === 1) return 'select another to compare';
  if (runs.length < 2) return '';
  const keys = differences(runs);
  if (keys.length === 0) return 'all inputs are equal';
  return `${keys.length} ${keys.length === 1 ? 'input differs' : 'inputs differ'}: ${keys
    .slice(0, 3)
    .map((key) => sayMetric(key).toLowerCase())
    .join(', ')}${keys.length > 3 ? ' and more' : ''}`;
}

type TagProps = {
  readonly opened: boolean;
  readonly runs: number;
  readonly onClose: () => void;
  /** `null` removes the tag. */
  readonly onTag: (key: string, value: string | null) => void;
};

function TagDialog({ opened, runs, onClose, onTag }: TagProps) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const say = `${count(runs)} ${runs === 1 ? 'run' : 'runs'}`;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (key.trim()) onTag(key.trim(), value);
  };
  return (
    <Modal opened={opened} onClose={onClose} title={`Tag ${say}`} centered>
      <form onSubmit={submit} className="form">
        <label>
          Key
          <input className="btn" data-autofocus value={key} onChange={(event) => setKey(event.currentTarget.value)} />
        </label>
        <label>
          Value
          <input className="btn" value={value} onChange={(event) => setValue(event.currentTarget.value)} />
        </label>
        <div className="dialog-actions">
          <button type="button" className="btn quiet" disabled={!key.trim()} onClick={() => onTag(key.trim(), null)}>
            Remove the tag
          </button>
          <button type="submit" className="btn primary" disabled={!key.trim()}>
            Set the tag
          </button>
        </div>
      </form>
    </Modal>
  );
}

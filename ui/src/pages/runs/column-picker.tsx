/** Which columns a run list shows: everything that the runs have, to be found by typing. */
import { useRef, useState } from 'react';
import type { RunKeys } from '../../data/run-list.ts';
import { count } from '../../format.ts';
import { attributes } from './columns.ts';

type Props = {
  readonly keys: RunKeys | undefined;
  readonly shown: readonly string[];
  /** Somebody chose them; otherwise they follow what the runs differ in. */
  readonly chosen: boolean;
  /** Undefined goes back to the usual ones. */
  readonly onChange: (columns: readonly string[] | undefined) => void;
};

const mostListed = 100;

export function ColumnPicker({ keys, shown, chosen, onChange }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const [sought, setSought] = useState('');
  const groups = [
    { title: 'Run', ids: Object.keys(attributes), name: (id: string) => attributes[id]?.title ?? id },
    ...(['params', 'metrics', 'tags'] as const).map((kind) => ({
      title: kind[0]?.toUpperCase() + kind.slice(1),
      ids: (keys?.[kind] ?? []).map((key) => `${kind}.${key}`),
      name: (id: string) => id.slice(kind.length + 1),
    })),
  ];
  const toggle = (id: string) => onChange(shown.includes(id) ? shown.filter((one) => one !== id) : [...shown, id]);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="btn"
        popoverTarget="columns"
        onClick={() => place(panel.current, button.current)}
      >
        Columns
      </button>
      <div
        ref={panel}
        id="columns"
        popover="auto"
        className="floating column-picker"
        role="dialog"
        aria-label="Columns"
        onToggle={({ newState }) => newState === 'open' && search.current?.focus()}
      >
        <input
          ref={search}
          type="search"
          className="btn"
          aria-label="Find a column"
          placeholder="Find a column"
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
        <div className="column-list">
          {groups.map(({ title, ids, name }) => {
            const found = ids.filter((id) => name(id).toLowerCase().includes(sought.toLowerCase()));
            if (found.length === 0) return null;
            return (
              <fieldset key={title}>
                <legend>{title}</legend>
                {found.slice(0, mostListed).map((id) => (
                  <label key={id}>
                    <input type="checkbox" checked={shown.includes(id)} onChange={() => toggle(id)} />
                    <span className="clip" title={name(id)}>
                      {name(id)}
                    </span>
                  </label>
                ))}
                {found.length > mostListed && (
                  <p className="small i3">and {count(found.length - mostListed)} more: type to find them</p>
                )}
              </fieldset>
            );
          })}
        </div>
        {chosen && (
          <button type="button" className="btn quiet" onClick={() => onChange(undefined)}>
            Back to the usual columns
          </button>
        )}
      </div>
    </>
  );
}

/** Below its button, within the window. */
function place(panel: HTMLElement | null, button: HTMLElement | null): void {
  if (!panel || !button) return;
  const { bottom, right } = button.getBoundingClientRect();
  panel.style.top = `${bottom + 4}px`;
  panel.style.right = `${Math.max(8, document.documentElement.clientWidth - right)}px`;
}

/** What people write on a thing: a description and tags, changed in place by whoever may. */
import { type FormEvent, useState } from 'react';
import type { Tag, Writing } from '../data/models.ts';
import { LongText } from './long-text.tsx';
import { Markdown } from './markdown/markdown.tsx';
import { SectionHead } from './page-head.tsx';

type Props = {
  readonly title: string;
  readonly description: string | undefined;
  readonly tags: readonly Tag[];
  readonly mayWrite: boolean;
  /** What the server said against the last change. */
  readonly error: Error | null;
  readonly onWrite: (writing: Writing) => Promise<unknown>;
};

export function Described({ title, description = '', tags, mayWrite, error, onWrite }: Props) {
  const [editing, setEditing] = useState(false);
  if (!mayWrite && description === '' && tags.length === 0) return null;
  return (
    <>
      <SectionHead
        title={title}
        aside={
          mayWrite &&
          !editing && (
            <button type="button" className="as-link link" onClick={() => setEditing(true)}>
              Edit
            </button>
          )
        }
      />
      {editing ? (
        <Edit
          description={description}
          tags={tags}
          onCancel={() => setEditing(false)}
          onSave={async (writing) => {
            await onWrite(writing);
            setEditing(false);
          }}
        />
      ) : (
        <>
          {description ? (
            <div className="small described">
              <Markdown text={description} most={600} under={2} />
            </div>
          ) : (
            tags.length === 0 && <p className="small i3">Nobody has described it.</p>
          )}
          {tags.length > 0 && (
            <dl className="facts">
              {tags.map(({ key, value }) => (
                <div key={key} style={{ display: 'contents' }}>
                  <dt className="mono">{key}</dt>
                  <dd>
                    <LongText text={value} most={300} />
                  </dd>
                </div>
              ))}
            </dl>
          )}
        </>
      )}
      {error && (
        <p role="alert" className="small warn-text">
          {error.message}
        </p>
      )}
    </>
  );
}

type Row = { readonly id: number; readonly key: string; readonly value: string };

function Edit({
  description,
  tags,
  onCancel,
  onSave,
}: {
  description: string;
  tags: readonly Tag[];
  onCancel: () => void;
  onSave: (writing: Writing) => Promise<unknown>;
}) {
  const [text, setText] = useState(description);
  const [rows, setRows] = useState<readonly Row[]>(() => [
    ...tags.map((tag, id) => ({ id, ...tag })),
    { id: tags.length, key: '', value: '' },
  ]);
  const change = (id: number, next: Partial<Row>) =>
    setRows((before) => {
      const after = before.map((row) => (row.id === id ? { ...row, ...next } : row));
      // There is always an empty one to write into.
      return after.at(-1)?.key === '' ? after : [...after, { id: after.length, key: '', value: '' }];
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // What the server refuses stays as it was typed; the reason stands below.
    void onSave({
      ...(text !== description && { description: text }),
      tags: changedTags(tags, rows),
    }).catch(() => undefined);
  };
  return (
    <form className="edit" onSubmit={submit}>
      <textarea
        aria-label="Description"
        placeholder="What it is for, and what not"
        rows={3}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {rows.map((row) => (
        <div key={row.id} className="edit-tag">
          <input
            aria-label="Tag"
            placeholder="tag"
            value={row.key}
            onChange={(event) => change(row.id, { key: event.currentTarget.value })}
          />
          <input
            aria-label={row.key === '' ? 'Value of the new tag' : `Value of ${row.key}`}
            placeholder="value"
            value={row.value}
            onChange={(event) => change(row.id, { value: event.currentTarget.value })}
          />
        </div>
      ))}
      <p className="micro i3">A tag without a name goes.</p>
      <div className="dialog-actions">
        <button type="button" className="btn quiet" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="btn">
          Save
        </button>
      </div>
    </form>
  );
}

/** Only what is not as it was, so that two people who write different tags both keep theirs. */
function changedTags(before: readonly Tag[], rows: readonly Row[]): Readonly<Record<string, string | null>> {
  const after = new Map(rows.filter(({ key }) => key.trim() !== '').map(({ key, value }) => [key.trim(), value]));
  const known = new Map(before.map(({ key, value }) => [key, value]));
  return Object.fromEntries([
    ...[...known.keys()].filter((key) => !after.has(key)).map((key) => [key, null] as const),
    ...[...after].filter(([key, value]) => known.get(key) !== value),
  ]);
}

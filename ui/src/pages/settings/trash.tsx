/** What was deleted: back, or gone for good. */
import { Modal } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useIsAdmin, useMayWrite } from '../../data/me.ts';
import { purgeFromTrash, restoreFromTrash, type TrashItem, trashKinds, useTrash } from '../../data/trash.ts';
import { count, recently } from '../../format.ts';
import { useChange, WhyNot } from '../../parts/change.tsx';
import { SectionHead } from '../../parts/page-head.tsx';
import { Loaded } from '../../parts/states.tsx';

/** What shows things that may be in the trash. */
const stale = [['runs'], ['run'], ['run-pages'], ['models'], ['version']];

export function Trash() {
  const search = useSearch({ strict: false }) as { readonly kind?: unknown }; // View state lives in the address.
  const navigate = useNavigate();
  const kind = trashKinds.find((one) => one === search.kind);
  const trash = useTrash(kind);
  const mayWrite = useMayWrite();
  const isAdmin = useIsAdmin();
  const [purging, setPurging] = useState<TrashItem>();
  const { failed, change } = useChange(stale, () => setPurging(undefined));
  return (
    <section className="below" id="trash">
      <SectionHead
        title="Trash"
        aside={
          <select
            aria-label="What kind of things"
            value={kind ?? ''}
            onChange={(event) =>
              void navigate({
                to: '/settings',
                search: ((before: object) => ({ ...before, kind: event.currentTarget.value || undefined })) as never,
                replace: true,
                resetScroll: false,
              })
            }
          >
            <option value="">of every kind</option>
            {trashKinds.map((one) => (
              <option key={one} value={one}>
                {one.replace('-', ' ')}s
              </option>
            ))}
          </select>
        }
      />
      {purging === undefined && <WhyNot failed={failed} />}
      <Loaded query={trash} what="the trash">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p className="small i2">Nothing is in the trash.</p>;
          return (
            <div className="wide">
              <table className="trash">
                <thead>
                  <tr>
                    <th>Name</th>
                    <th>Kind</th>
                    <th>Deleted</th>
                    <th>
                      <span className="seen-only-by-readers">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={`${item.kind} ${item.id}`}>
                      <td className="m">
                        {item.name}
                        {item.holds !== undefined && item.holds > 0 && (
                          <span className="i3">
                            {' '}
                            with {count(item.holds)} {item.kind === 'model' ? 'versions' : 'runs'}
                          </span>
                        )}
                      </td>
                      <td className="i2">{item.kind.replace('-', ' ')}</td>
                      <td className="i2 nowrap">{recently(item.deletedAt)}</td>
                      <td className="num">
                        {mayWrite && (
                          <button
                            type="button"
                            className="btn quiet"
                            onClick={() => void change(() => restoreFromTrash(item.kind, [item.id]))}
                          >
                            Bring back
                            <span className="seen-only-by-readers"> {item.name}</span>
                          </button>
                        )}
                        {isAdmin && (
                          <button type="button" className="btn quiet" onClick={() => setPurging(item)}>
                            Delete for good…
                            <span className="seen-only-by-readers"> {item.name}</span>
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {trash.hasNextPage && (
                <button type="button" className="btn" onClick={() => void trash.fetchNextPage()}>
                  Read more
                </button>
              )}
            </div>
          );
        }}
      </Loaded>
      <Modal
        opened={purging !== undefined}
        onClose={() => setPurging(undefined)}
        title={purging && `Delete ${purging.name} for good?`}
        centered
      >
        <WhyNot failed={failed} />
        <p className="i2">
          It goes with{' '}
          {purging?.holds ? `its ${count(purging.holds)} ${purging.kind === 'model' ? 'versions' : 'runs'} and ` : ''}
          its files, and nobody can bring it back. Its name is free again. What a version needs to be recreated stays.
        </p>
        <div className="dialog-actions">
          <button type="button" className="btn quiet" onClick={() => setPurging(undefined)}>
            Cancel
          </button>
          <button
            type="button"
            className="btn danger"
            onClick={() => purging && void change(() => purgeFromTrash(purging.kind, purging.id))}
          >
            Delete for good
          </button>
        </div>
      </Modal>
    </section>
  );
}

/** The files of a run and of the models it logged, as trees that open in place; one file at a time shows what is in it. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type Artifact, type LoggedModel, useArtifacts } from '../../data/runs.ts';
import { count } from '../../format.ts';
import { SectionHead } from '../../parts/page-head.tsx';
import { Failed } from '../../parts/states.tsx';
import { type FilePlace, Preview } from './preview.tsx';
import { size } from './size.ts';

type Shown = { readonly file: string | undefined; readonly model: string | undefined };

export function Files({ run, models }: { run: string; models: readonly LoggedModel[] }) {
  const files = useArtifacts({ run });
  const search = useSearch({ strict: false }) as { readonly file?: unknown; readonly model?: unknown };
  const navigate = useNavigate();
  const shown: Shown = {
    file: search.file === undefined ? undefined : String(search.file),
    model: search.model === undefined ? undefined : String(search.model),
  };
  const show = (place: FilePlace | undefined) =>
    void navigate({
      to: '.',
      search: ((before: object) => ({ ...before, file: place?.path, model: place?.model })) as never,
      replace: true,
      resetScroll: false,
    });
  if (files.isError) return <Failed what="its files" error={files.error} retry={() => void files.refetch()} />;
  const items = files.data?.items ?? [];
  if (items.length === 0 && models.length === 0) return null;
  const flat = items.filter(({ isFolder }) => !isFolder);
  const bytes = flat.reduce((sum, file) => sum + file.size, 0);
  const folders = items.length - flat.length;
  const aside = [
    flat.length > 0 && `${count(flat.length)} ${flat.length === 1 ? 'file' : 'files'}, ${size(bytes)}`,
    folders > 0 && `${count(folders)} ${folders === 1 ? 'folder' : 'folders'}`,
  ].filter((part) => part !== false);
  return (
    <>
      <SectionHead title="Files" aside={aside.join('; ')} />
      <table className="files">
        <thead className="seen-only-by-readers">
          <tr>
            <th>Name</th>
            <th>Size</th>
          </tr>
        </thead>
        <tbody>
          {items.map((file) => (
            <FileRow key={file.path} place={{ run, path: file.path }} file={file} shown={shown} onShow={show} />
          ))}
          {models.map((model) => (
            <ModelRow key={model.id} run={run} model={model} shown={shown} onShow={show} />
          ))}
        </tbody>
      </table>
    </>
  );
}

type RowProps = {
  readonly shown: Shown;
  readonly onShow: (place: FilePlace | undefined) => void;
  readonly depth?: number;
};

function ModelRow({ run, model, shown, onShow }: RowProps & { run: string; model: LoggedModel }) {
  const [open, setOpen] = useState(shown.model === model.id);
  return (
    <>
      <tr>
        <td className="mono">
          <button type="button" className="as-link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {model.name}/
          </button>
        </td>
        <td className="num i2">logged model{model.status === 'ready' ? '' : `, ${model.status}`}</td>
      </tr>
      {open && <Folder place={{ run, model: model.id, path: '' }} shown={shown} onShow={onShow} depth={1} />}
    </>
  );
}

function FileRow({ place, file, shown, onShow, depth = 0 }: RowProps & { place: FilePlace; file: Artifact }) {
  const isShown = shown.file === place.path && shown.model === place.model;
  const [open, setOpen] = useState(
    file.isFolder && shown.model === place.model && (shown.file?.startsWith(`${place.path}/`) ?? false),
  );
  const name = file.path.split('/').at(-1);
  return (
    <>
      <tr className={isShown ? 'sel' : ''}>
        <td className="mono" style={{ paddingLeft: 8 + depth * 16 }}>
          <button
            type="button"
            className={file.isFolder ? 'as-link' : 'as-link link'}
            aria-expanded={file.isFolder ? open : isShown}
            onClick={() => (file.isFolder ? setOpen(!open) : onShow(isShown ? undefined : place))}
          >
            {name}
            {file.isFolder && '/'}
          </button>
        </td>
        <td className="num i2">{file.isFolder ? '' : size(file.size)}</td>
      </tr>
      {isShown && (
        <tr className="file-detail">
          <td colSpan={2}>
            <Preview file={place} bytes={file.size} />
          </td>
        </tr>
      )}
      {open && <Folder place={place} shown={shown} onShow={onShow} depth={depth + 1} />}
    </>
  );
}

/** Read when it is opened. */
function Folder({ place, ...row }: RowProps & { place: FilePlace }) {
  const files = useArtifacts(place);
  if (files.isError)
    return (
      <tr>
        <td colSpan={2}>
          <Failed what={place.path} error={files.error} retry={() => void files.refetch()} />
        </td>
      </tr>
    );
  return (files.data?.items ?? []).map((file) => (
    <FileRow key={file.path} place={{ ...place, path: file.path }} file={file} {...row} />
  ));
}

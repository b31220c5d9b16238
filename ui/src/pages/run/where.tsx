/** Where it ran: who, from which code, and what else was written on it. */
import { useState } from 'react';
import type { RunDetails } from '../../data/runs.ts';
import { wallMoment } from '../../format.ts';
import { LongText } from '../../parts/long-text.tsx';
import { SectionHead } from '../../parts/page-head.tsx';

/** Said elsewhere on the page, or of no use to a reader. */
const known = /^(mlflow\.(runName|user|note\.content|source\.|log-model\.|parentRunId)|rondo\.)/;

export function Where({ run }: { run: RunDetails }) {
  const { tags } = run;
  const dirty = tags['mlflow.source.git.dirty'] === 'True' || tags['mlflow.source.git.dirty'] === 'true';
  const commit = tags['mlflow.source.git.commit']?.slice(0, 12);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Started', wallMoment(run.startedAt)],
    ['By', run.user ?? tags['mlflow.user']],
    ['Source', tags['mlflow.source.name']],
    ['Branch', tags['mlflow.source.git.branch']],
    ['Code', commit && `${commit}${dirty ? ', changed' : ''}`],
    ['Repository', tags['mlflow.source.git.repoURL']],
    ['Execution', tags['rondo.execution']],
    ['Run id', run.id],
  ];
  const diff = tags['mlflow.source.git.diff'];
  const others = Object.entries(tags).filter(([key]) => !known.test(key));
  return (
    <>
      <SectionHead title="Where it ran" />
      <dl className="facts">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name} style={{ display: 'contents' }}>
                <dt>{name}</dt>
                <dd className="mono">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {diff && <Diff text={diff} />}
      {others.length > 0 && (
        <>
          <SectionHead title="Tags" />
          <dl className="facts">
            {others.map(([key, value]) => (
              <div key={key} style={{ display: 'contents' }}>
                <dt className="mono">{key}</dt>
                <dd>
                  <LongText text={value} most={300} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </>
  );
}

/** What the working tree had beside the commit. */
function Diff({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const lines = text.split('\n');
  const added = lines.filter((line) => line.startsWith('+') && !line.startsWith('+++')).length;
  const removed = lines.filter((line) => line.startsWith('-') && !line.startsWith('---')).length;
  return (
    <>
      <p className="small i2">
        Changed since the commit: {added} lines added, {removed} removed.{' '}
        <button type="button" className="as-link link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide them' : 'Show them'}
        </button>
      </p>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys.
        <section className="code-diff" tabIndex={0} aria-label="Changes since the commit">
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one text never move.
            <code key={at} className={line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : ''}>
              {line || ' '}
            </code>
          ))}
        </section>
      )}
    </>
  );
}

/** The sentence every page opens with: what is happening and what to do, then the reasons, then the actions. */
import { type ReactNode, useEffect } from 'react';
import { type Mark, VerdictMark } from './verdict.tsx';

type Props = {
  readonly title: string /** For a verdict that was reached, beside its sentence. */;
  readonly mark?: Mark;
  readonly children?: ReactNode;
  /** What is no sentence: it stands below it. */
  readonly below?: ReactNode;
  readonly actions?: ReactNode;
};

export function PageHead({ title, mark, children, below, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Rondo`;
  }, [title]);
  return (
    <section className="verdict">
      <div>
        <h1>
          {mark && (
            <span className="head-mark" style={{ color: `var(--${mark})` }}>
              <VerdictMark mark={mark} size={18} />
            </span>
          )}
          {title}
        </h1>
        {children && <p>{children}</p>}
        {below}
      </div>
      {actions && <div className="actions">{actions}</div>}
    </section>
  );
}

/** A part of a page under its hairline. */
export function SectionHead({ title, aside }: { title: string; aside?: ReactNode }) {
  return (
    <div className="sec">
      <h2>{title}</h2>
      {aside && <span className="aside">{aside}</span>}
    </div>
  );
}

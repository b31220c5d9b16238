/** The sentence every page opens with: what is happening and what to do, then the reasons, then the actions. */
import { type ReactNode, useEffect } from 'react';

export function PageHead({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Rondo`;
  }, [title]);
  return (
    <section className="verdict">
      <div>
        <h1>{title}</h1>
        {children && <p>{children}</p>}
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

/** The filter of a run list: proposes what may come next, and shows where a filter is wrong. */
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiProblem } from '../../data/api.ts';
import { Icon } from '../../shell/icons.tsx';
import { complete, type Known, type Option } from './filter-completion.ts';

type Props = {
  readonly filter: string;
  readonly known: Known;
  /** Why the server refused the filter. */
  readonly error: unknown;
  readonly onFilter: (filter: string) => void;
};

export function FilterBox({ filter, known, error, onFilter }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(filter);
  const [caret, setCaret] = useState(filter.length);
  const [shown, setShown] = useState(false);
  const [active, setActive] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  // The address changed, by the back button or a link.
  useEffect(() => setDraft(filter), [filter]);
  const { from, to, options } = complete(draft, caret, known);
  const open = shown && options.length > 0;
  const problem = error instanceof ApiProblem && draft === filter ? error : undefined;

  const edit = (text: string, at: number) => {
    setDraft(text);
    setCaret(at);
    setActive(-1);
    setShown(true);
  };
  const take = ({ text }: Option) => {
    const rest = draft.slice(to).replace(/^ /, '');
    const next = `${draft.slice(0, from)}${text} `;
    // At once: what is typed before the next frame belongs behind the option.
    flushSync(() => edit(next + rest, next.length));
    input.current?.setSelectionRange(next.length, next.length);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (options.length === 0) return;
      event.preventDefault();
      setShown(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((before) => (before + step + options.length + (before < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      setShown(false);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && open && active >= 0) {
      const option = options[active];
      if (!option) return;
      event.preventDefault();
      take(option);
    } else if (event.key === 'Enter') setShown(false);
  };

  return (
    <form
      className="filter-box"
      onSubmit={(event) => {
        event.preventDefault();
        setShown(false);
        onFilter(draft.trim());
      }}
    >
      <div className="filter-field">
        <Icon name="search" size={14} />
        <input
          ref={input}
          type="search"
          role="combobox"
          className="btn query mono"
          aria-label="Filter runs"
          aria-autocomplete="list"
          aria-expanded={open}
          aria-controls={`${id}-options`}
          {...(open && active >= 0 ? { 'aria-activedescendant': `${id}-${active}` } : {})}
          {...(problem ? { 'aria-invalid': true, 'aria-describedby': `${id}-problem` } : {})}
          autoComplete="off"
          spellCheck={false}
          placeholder="metrics.auc > 0.6 AND params.depth = '6'"
          value={draft}
          onChange={({ currentTarget }) =>
            edit(currentTarget.value, currentTarget.selectionStart ?? currentTarget.value.length)
          }
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? draft.length)}
          onScroll={({ currentTarget }) => setScrolled(currentTarget.scrollLeft)}
          onFocus={() => setShown(draft === '')}
          onBlur={() => setShown(false)}
          onKeyDown={onKey}
        />
        {problem?.position !== undefined && (
          <span
            aria-hidden
            className="filter-mark"
            style={{ left: `calc(33px + ${problem.position}ch - ${scrolled}px)` }}
          />
        )}
        {draft === '' && <kbd aria-hidden>/</kbd>}
        <div className="options" id={`${id}-options`} role="listbox" aria-label="What may come next" hidden={!open}>
          {open &&
            options.map((option, index) => (
              // biome-ignore lint/a11y/useFocusableInteractive: the box keeps the focus, and names the active option.
              // biome-ignore lint/a11y/useKeyWithClickEvents: the box takes the keys.
              <div
                key={option.text}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === active}
                ref={(element) => {
                  if (index === active) element?.scrollIntoView({ block: 'nearest' });
                }}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(option)}
              >
                <code>{option.text}</code>
                <span className="i3">{option.hint}</span>
              </div>
            ))}
        </div>
      </div>
      {problem && (
        <p className="filter-problem" id={`${id}-problem`} role="alert">
          {problem.position === undefined ? '' : `At character ${problem.position + 1}: `}
          {problem.message}
        </p>
      )}
    </form>
  );
}

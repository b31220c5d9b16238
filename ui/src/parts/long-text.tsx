/** What people or programs wrote, however long: its beginning, and the rest for who asks. */
import { type ReactNode, useState } from 'react';

type Props = {
  readonly text: string;
  /** Letters that stand there unasked. */
  readonly most: number;
  /** As it is where it says nothing. */
  readonly show?: (text: string) => ReactNode;
};

export function LongText({ text, most, show = (part) => part }: Props) {
  const [all, setAll] = useState(false);
  if (text.length <= most) return show(text);
  return (
    <>
      {show(all ? text : beginning(text, most))}
      {all ? ' ' : '… '}
      <button type="button" className="as-link link more" aria-expanded={all} onClick={() => setAll(!all)}>
        {all ? 'Show less' : 'Show all'}
      </button>
    </>
  );
}

/** Up to the end of a paragraph, a line or a word, where there is one near. */
function beginning(text: string, most: number): string {
  const cut = text.slice(0, most).toWellFormed();
  const ends = [cut.lastIndexOf('\n\n'), cut.lastIndexOf('\n'), cut.search(/\s\S*$/)];
  return cut.slice(0, ends.find((end) => end > most * 0.7) ?? most).trimEnd();
}

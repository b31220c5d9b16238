/** What people or programs wrote, however long: its beginning, and the rest for who asks. */
import { useState } from 'react';

/** @param most letters that stand there unasked */
export function LongText({ text, most }: { text: string; most: number }) {
  const [all, setAll] = useState(false);
  if (text.length <= most) return text;
  return (
    <>
      {all ? text : `${beginning(text, most)}…`}{' '}
      <button type="button" className="as-link link more" aria-expanded={all} onClick={() => setAll(!all)}>
        {all ? 'Show less' : 'Show all'}
      </button>
    </>
  );
}

/** Up to the end of a word, where there is one near. */
function beginning(text: string, most: number): string {
  const cut = text.slice(0, most).toWellFormed();
  const space = cut.search(/\s\S*$/);
  return (space > most * 0.7 ? cut.slice(0, space) : cut).trimEnd();
}

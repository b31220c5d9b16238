/** Something people copy: a command, an address, a digest. */
import { useRef, useState } from 'react';
import { Icon } from '../shell/icons.tsx';

export function Copy({ text, label }: { text: string; label: string }) {
  const code = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState<'yes' | 'selected'>();
  const copy = async () => {
    // Pages that came over plain HTTP from another machine have no clipboard: the text is selected for the reader to copy.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else if (code.current) getSelection()?.selectAllChildren(code.current);
    setCopied(navigator.clipboard ? 'yes' : 'selected');
    setTimeout(() => setCopied(undefined), 1500);
  };
  return (
    <div className="copy">
      <code ref={code}>{text}</code>
      <button type="button" className="ghost" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        <Icon name="copy" size={14} />
        {copied === 'yes' ? 'Copied' : copied === 'selected' ? 'Selected' : 'Copy'}
      </button>
    </div>
  );
}

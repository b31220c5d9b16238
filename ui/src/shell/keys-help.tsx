/** Which keys do what, and the switch that turns the single ones off. */
import { Modal } from '@mantine/core';
import { useState } from 'react';
import { keysAreOff, switchKeys } from './keys.ts';
import { places } from './places.ts';

const keys: readonly (readonly [string, string])[] = [
  ['Ctrl K', 'the palette'],
  ...places.map(({ key, title }) => [`g ${key}`, title] as const),
  ['/', 'filter'],
  ['j k', 'next and previous row'],
  ['Enter', 'open'],
  ['x', 'select a run'],
  ['Shift x', 'select the runs up to here'],
  ['Right Left', 'open and close the runs below a run'],
  ['c', 'compare the selected runs'],
  ['[ ]', 'older and newer windows'],
  ['t', 'chart or table'],
  ['?', 'this list'],
];

export function KeysHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [off, setOff] = useState(keysAreOff);
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" centered>
      <dl className="facts keys-list">
        {keys.map(([key, does]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="toggle">
        <input
          type="checkbox"
          checked={!off}
          onChange={(event) => {
            switchKeys(event.currentTarget.checked);
            setOff(!event.currentTarget.checked);
          }}
        />{' '}
        Single keys are on
      </label>
    </Modal>
  );
}

/** What a run list is grouped by. */
import type { RunKeys } from '../../data/run-list.ts';
import { field } from './view.ts';

type Props = {
  readonly keys: RunKeys | undefined;
  readonly group: string;
  readonly onGroup: (group: string) => void;
};

const always = [
  ['model', 'Model'],
  ['dataset.name', 'Dataset'],
  ['dataset.digest', 'Dataset version'],
  ['attributes.status', 'Status'],
  ['attributes.user_id', 'User'],
] as const;

export function GroupPicker({ keys, group, onGroup }: Props) {
  const kinds = [
    ['Params', 'params'],
    ['Tags', 'tags'],
  ] as const;
  return (
    <select
      className="btn"
      aria-label="Group by"
      value={group}
      onChange={(event) => onGroup(event.currentTarget.value)}
    >
      <option value="">Not grouped</option>
      {always.map(([value, title]) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
      {kinds.map(([title, kind]) => (
        <optgroup key={kind} label={title}>
          {(keys?.[kind] ?? [])
            // Every run has a name of its own, and its parent is shown by nesting.
            .filter((key) => key !== 'mlflow.runName')
            .map((key) => (
              <option key={key} value={field(kind, key)}>
                {key}
              </option>
            ))}
        </optgroup>
      ))}
    </select>
  );
}

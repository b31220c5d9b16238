/** A dangerous step that asks for its reason first, and repeats what it will do. */
import { Modal, Textarea } from '@mantine/core';
import { useState } from 'react';

type Props = {
  readonly opened: boolean;
  readonly title: string;
  readonly consequence: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onConfirm: (reason: string) => void;
};

const shortest = 5;

export function ReasonDialog({ opened, title, consequence, action, onClose, onConfirm }: Props) {
  const [reason, setReason] = useState('');
  const enough = reason.trim().length >= shortest;
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (enough) onConfirm(reason.trim());
        }}
      >
        <p className="i2">{consequence}</p>
        <Textarea
          data-autofocus
          label="Reason"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <div className="dialog-actions">
          {!enough && <span className="small i3">A reason of at least {shortest} letters</span>}
          <button type="button" className="btn quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={!enough}>
            {action}
          </button>
        </div>
      </form>
    </Modal>
  );
}

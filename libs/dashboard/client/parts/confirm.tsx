import { useEffect, useRef } from 'preact/hooks';
import type { ActionInfo } from '../../src/wire.js';

interface Props {
  readonly action: ActionInfo;
  /** What it is done to, as the question names it. */
  readonly about: string;
  readonly answered: (yes: boolean) => void;
}

/** Says what will happen before it does. The browser's own dialog keeps the focus within and closes by Escape. */
export function Confirm({ action, about, answered }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const { final } = action;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      aria-describedby="confirm-says"
      onClose={() => answered(false)}
    >
      <h2 id="confirm-title">
        {action.label}: <span class="key">{about}</span>?
      </h2>
      <p id="confirm-says">
        {final && <strong>This cannot be undone. </strong>}
        {action.says}
      </p>
      <div class="buttons">
        <button type="button" onClick={() => answered(false)}>
          Cancel
        </button>
        <button type="button" class={final ? 'danger' : 'primary'} onClick={() => answered(true)}>
          {action.label}
        </button>
      </div>
    </dialog>
  );
}

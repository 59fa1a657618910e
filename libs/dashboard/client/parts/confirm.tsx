import { useEffect, useRef } from 'preact/hooks';
import type { ActionInfo } from '../../src/wire.js';
import { fieldIn } from './field.js';

/** Who does it and why, of actions that are signed. */
export type Signature = Readonly<Record<string, string>>;

interface Props {
  readonly action: ActionInfo;
  /** What it is done to, as the question names it. */
  readonly about: string;
  /** Without a signature where it is not to be done; an empty one where none was asked for. */
  readonly answered: (signature: Signature | undefined) => void;
}

/** As he called himself last, until the page is loaded again. */
let signedBy = '';

/** Says what will happen before it does. The browser's own dialog keeps the focus within and closes by Escape. */
export function Confirm({ action, about, answered }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const { final, signed } = action;
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!signed) return answered({});
    signedBy = fieldIn(event, 'by');
    answered({ by: signedBy, reason: fieldIn(event, 'reason') });
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      aria-describedby="confirm-says"
      onClose={() => answered(undefined)}
    >
      <h2 id="confirm-title">
        {action.label}: <span class="key">{about}</span>?
      </h2>
      <p id="confirm-says">
        {final && <strong>This cannot be undone. </strong>}
        {action.says}
      </p>
      <form onSubmit={send}>
        {signed && <SignatureFields />}
        <div class="buttons">
          <button type="button" onClick={() => answered(undefined)}>
            Cancel
          </button>
          <button type="submit" class={final ? 'danger' : 'primary'}>
            {action.label}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Characters, as the audit trail takes them. */
const LONGEST = 1_000;

function SignatureFields() {
  const common = { required: true, maxLength: LONGEST, pattern: '.*\\S.*', autoComplete: 'off' };
  return (
    <div class="signature">
      <label>
        Who does it <input {...common} name="by" defaultValue={signedBy} />
      </label>
      <label>
        Why <input {...common} name="reason" autoFocus={signedBy !== ''} />
      </label>
    </div>
  );
}

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { WireState } from '../../src/wire.js';
import { Actions } from './actions.js';

/** What somebody makes of a state, and of which version it was when he began: that one goes along, whatever was shown since. */
export interface Draft {
  readonly version: number;
  readonly text: string;
}

interface Props {
  readonly draft: Draft;
  /** As it was shown last. */
  readonly state: WireState;
  readonly about: string;
  readonly address: string;
  /** Without a draft it ends. */
  readonly change: (draft: Draft | undefined) => void;
  /** Begins with the state that is shown now. */
  readonly anew: () => void;
  readonly ended: (failure: string | undefined) => void;
}

export function StateEditor({ draft, state, about, address, change, anew, ended }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current!.focus(), []);
  const fault = faultOf(draft.text);
  return (
    <div class="editor" role="group" aria-label="Editor of the stored state">
      <label for="new-state">
        New state, as JSON ({draft.version === 0 ? 'where there is none' : `instead of version ${draft.version}`})
      </label>
      <textarea
        id="new-state"
        ref={field}
        class="key"
        rows={Math.min(24, Math.max(6, draft.text.split('\n').length + 1))}
        spellcheck={false}
        autoComplete="off"
        aria-invalid={fault !== undefined}
        aria-describedby="new-state-fault"
        value={draft.text}
        onInput={({ currentTarget }) => change({ ...draft, text: currentTarget.value })}
      />
      <p id="new-state-fault" class="note" role="status">
        {fault === undefined ? '' : `This is no JSON yet: ${fault}`}
      </p>
      {state.version !== draft.version && (
        <p class="problem">
          The state has changed since you began, and what you wrote would undo that. If messages change it faster than
          you can write, pause the key first.{' '}
          <button type="button" class="small" onClick={anew} disabled={state.locked !== null}>
            Begin again with {state.version === 0 ? 'none' : `version ${state.version}`}
          </button>
        </p>
      )}
      <div class="buttons">
        {fault === undefined && (
          <Actions
            target="state"
            about={about}
            parameters={{ key: address, version: draft.version, text: draft.text }}
            fits={(when) => when === 'edited'}
            done={ended}
          />
        )}
        <button type="button" onClick={() => change(undefined)}>
          Leave it as it is
        </button>
      </div>
    </div>
  );
}

/** Why the text is no JSON. The app looks again, and the owner whether the key can start with it. */
function faultOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { WireAudit, WireState } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { useLook } from '../live/use-look.js';
import { Actions } from '../parts/actions.js';
import { AuditTrail } from '../parts/audit-trail.js';
import { bytes, moment } from '../parts/format.js';
import { type Draft, StateEditor } from '../parts/state-editor.js';

interface Props {
  /** Of the key. */
  readonly address: string;
  /** The key, as confirmations name it. */
  readonly about: string;
}

/** It is read from the store when somebody asks for it, and not live. */
export function StoredState(props: Props) {
  const [shown, setShown] = useState(false);
  return (
    <section aria-labelledby="state">
      <h2 id="state">Stored state</h2>
      {shown ? (
        <Shown {...props} />
      ) : (
        <button type="button" onClick={() => setShown(true)}>
          Show the stored state
        </button>
      )}
    </section>
  );
}

function Shown({ address, about }: Props) {
  const { hello } = useShown();
  const { value, problem, busy, again } = useLook<WireState>('state', { key: address });
  const trail = useLook<WireAudit>('audit', { key: address });
  const [draft, setDraft] = useState<Draft>();
  const [failed, setFailed] = useState<string>();
  const first = useRef<HTMLButtonElement>(null);
  // The button that was pressed is gone.
  useLayoutEffect(() => first.current!.focus(), []);
  const look = (): void => {
    setFailed(undefined);
    again();
    trail.again();
  };
  const restored = (failure: string | undefined): void => (failure === undefined ? look() : setFailed(failure));
  const ended = (failure: string | undefined): void => {
    if (failure === undefined) change(undefined);
    restored(failure);
  };
  const change = (next: Draft | undefined): void => {
    setDraft(next);
    if (next === undefined) first.current!.focus();
  };
  const edit = (): void => {
    setFailed(undefined);
    setDraft({ version: value!.version, text: value!.text ?? '' });
  };
  const changes = hello.acts && value !== undefined;
  return (
    <>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value !== undefined && <Contents state={value} />}
      <div class="buttons">
        {/* Never disabled, which would take the focus away. */}
        <button type="button" ref={first} onClick={look}>
          {busy ? 'Looking …' : 'Look again'}
        </button>
        {changes && value.locked === null && draft === undefined && (
          <button type="button" onClick={edit}>
            Edit
          </button>
        )}
      </div>
      {failed !== undefined && (
        <p class="problem" role="alert">
          {failed}
        </p>
      )}
      {changes && draft !== undefined && (
        <StateEditor
          draft={draft}
          state={value}
          about={about}
          address={address}
          change={change}
          anew={edit}
          ended={ended}
        />
      )}
      {changes && draft === undefined && (
        <Actions
          target="state"
          about={about}
          parameters={{ key: address, version: value.version }}
          fits={(when) => when === 'stored' && value.version > 0}
          done={ended}
        />
      )}
      {trail.value !== undefined && value !== undefined && (
        <AuditTrail trail={trail.value} version={value.version} about={about} address={address} ended={restored} />
      )}
    </>
  );
}

function Contents({ state: { text, problem, version, changedAt, size, locked } }: { state: WireState }) {
  if (version === 0) return <p>None is stored.</p>;
  const changed = changedAt === null ? '' : `, changed ${moment(changedAt)}`;
  return (
    <>
      <p class="note">
        Version {version}
        {changed}, {bytes(size)} in the store
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      {text !== null && (
        <pre tabIndex={0} aria-label="Stored state">
          {text}
        </pre>
      )}
      {locked !== null && <p class="note">{locked}</p>}
    </>
  );
}

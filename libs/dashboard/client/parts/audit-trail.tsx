import type { WireAudit, WireAuditEntry } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { Actions } from './actions.js';
import { moment } from './format.js';

interface Props {
  readonly trail: WireAudit;
  /** Of the state that is shown, which a restoration replaces. */
  readonly version: number;
  readonly about: string;
  readonly address: string;
  readonly ended: (failure: string | undefined) => void;
}

/** What operators did to the state of a key, and what it was before. */
export function AuditTrail({ trail: { entries, more }, ...about }: Props) {
  return (
    <>
      <h3 id="trail">What operators did to it, the newest first</h3>
      {entries.length === 0 ? (
        <p class="empty">Nothing.</p>
      ) : (
        <ol class="trail" aria-labelledby="trail">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} {...about} />
          ))}
        </ol>
      )}
      {more && <p class="note">Older ones were left out: the command line lists them all (mississippi audit).</p>}
    </>
  );
}

function Entry({ entry, version, about, address, ended }: Omit<Props, 'trail'> & { entry: WireAuditEntry }) {
  const { hello } = useShown();
  const { id, at, action, by, reason, process, versionBefore, versionAfter, before } = entry;
  return (
    <li>
      <p>
        {DONE[action]} by <b>{by}</b>: {reason}
      </p>
      <p class="note">
        {moment(at)}, version {versionBefore || 'none'} to {versionAfter || 'none'}, by the process {process}
      </p>
      {before === null ? (
        <p class="note">There was none before.</p>
      ) : (
        <details>
          <summary>The state before</summary>
          <pre tabIndex={0} aria-label={`State before ${moment(at)}`}>
            {before}
          </pre>
        </details>
      )}
      {hello.acts && (
        <Actions
          target="auditEntry"
          about={`${about}, as it was before ${moment(at)}`}
          parameters={{ key: address, id, version }}
          done={ended}
        />
      )}
    </li>
  );
}

const DONE: Readonly<Record<WireAuditEntry['action'], string>> = { edited: 'Replaced', forgotten: 'Forgotten' };

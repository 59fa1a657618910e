import { useState } from 'preact/hooks';
import type { ActionInfo, ActionTarget, ActionWhen, WireKey } from '../../src/wire.js';
import { useShown } from '../live/context.js';
import { Confirm, type Signature } from './confirm.js';

interface Props {
  readonly target: ActionTarget;
  /** What they are done to, as the confirmation names it. */
  readonly about: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** How it stands, which decides what makes sense. */
  readonly fits?: (when: ActionWhen) => boolean;
  /** With what went wrong, if something did. */
  readonly done?: (failure: string | undefined) => void;
}

/** What somebody is asked about: the page goes on meanwhile, and may show another message than the one that he means. */
interface Asked extends Pick<Props, 'parameters'> {
  readonly action: ActionInfo;
}

/** The actions that the app offers for something, and make sense as it stands. */
export function Actions({ target, about, parameters, fits = () => true, done }: Props) {
  const { api, hello, say } = useShown();
  const [asked, setAsked] = useState<Asked>();
  const offered = hello.actions.filter(
    (action) => action.target === target && (action.when === 'always' || fits(action.when)),
  );
  if (!hello.acts) {
    return (
      <p class="note">
        Actions are off. The app switches them on by{' '}
        <code>MississippiDashboardModule.forRoot({'{ actions: true }'})</code>.
      </p>
    );
  }
  if (offered.length === 0) return null;
  const run = async ({ action: { name, label }, ...asked }: Asked, signature: Signature): Promise<void> => {
    const [id, what] = [`${name} ${about}`, `${label}: ${about}`];
    say({ id, kind: 'going', text: `${what} …` });
    try {
      await api.act(name, { ...asked.parameters, ...signature }, (progress) =>
        say({ id, kind: 'going', text: `${what}: ${progressText(progress)}` }),
      );
      say({ id, kind: 'done', text: `${what}: done.` });
      done?.(undefined);
    } catch (error) {
      const { message } = error as Error;
      say({ id, kind: 'failed', text: `${what}: ${message}` });
      done?.(message);
    }
  };
  return (
    <div class="buttons" role="group" aria-label={`Actions on ${about}`}>
      {offered.map((action) => (
        <button
          key={action.name}
          type="button"
          class={action.final ? 'danger-outline' : ''}
          onClick={() => setAsked({ action, parameters })}
        >
          {action.label}…
        </button>
      ))}
      {asked !== undefined && (
        <Confirm
          action={asked.action}
          about={about}
          answered={(signature) => {
            setAsked(undefined);
            if (signature !== undefined) void run(asked, signature);
          }}
        />
      )}
    </div>
  );
}

/** What makes sense for a key as it stands. */
export function fitsKey(row: WireKey | null): (when: ActionWhen) => boolean {
  const held = row?.parkedState === 'held';
  const runs = row?.state === 'running' || row?.state === 'settling';
  const waiting = row !== null && !runs && row.queued + row.parked > 0;
  const fits: Partial<Record<ActionWhen, boolean>> = { held, notHeld: !held, waiting };
  return (when) => fits[when] === true;
}

/** Of a process, or of a type of messages. */
export function fitsPaused(paused: boolean): (when: ActionWhen) => boolean {
  return (when) => when === (paused ? 'paused' : 'open');
}

function progressText({ done, dropped, left, total }: Record<string, number>): string {
  if (dropped !== undefined) return `${dropped} done, ${left ?? 0} left`;
  return `${done ?? 0} done of ${total ?? 0} in the queue`;
}

import { useState } from 'preact/hooks';
import type { WireLetterDetails } from '../../src/wire.js';
import { keyHref } from '../live/route.js';
import { useLook } from '../live/use-look.js';
import { Actions } from '../parts/actions.js';
import { bytes, moment } from '../parts/format.js';

export function Letter({ id }: { id: string }) {
  const { value, problem } = useLook<WireLetterDetails>('letter', { id });
  const [gone, setGone] = useState(false);
  return (
    <>
      <p class="note">
        <a href="#/dead-letters">Dead letters</a> › letter
      </p>
      <h1 class="key">{value?.messageId ?? 'Dead letter'}</h1>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value === undefined && problem === undefined && <p class="empty">Reading …</p>}
      {value !== undefined && <Facts letter={value} />}
      {value !== undefined && !gone && (
        <Actions
          target="letter"
          about={value.messageId ?? value.id}
          parameters={{ id }}
          done={(failure) => setGone(failure === undefined)}
        />
      )}
      {gone && <p>It was dealt with; what this page shows is from before.</p>}
      {value !== undefined && <Contents letter={value} />}
    </>
  );
}

function Facts({ letter }: { letter: WireLetterDetails }) {
  const { key, text, reason, type, attempts, failedAt, timestamp, replays, size } = letter;
  const facts: readonly [string, string][] = [
    ['Reason', reason ?? 'unknown: something else than this library put it there'],
    ['Type', type ?? '–'],
    ['Attempts', String(attempts ?? '–')],
    ['Given up', failedAt === null ? '–' : moment(failedAt)],
    ['Sent', timestamp === undefined ? '–' : moment(timestamp * 1_000)],
    ['Replayed before', replays === 0 ? 'never' : `${replays} times`],
    ['Size', bytes(size)],
  ];
  return (
    <dl class="facts">
      <div>
        <dt>Key</dt>
        <dd>
          {key === null ? (
            text
          ) : (
            <a class="key" href={keyHref(key)}>
              {text}
            </a>
          )}
        </dd>
      </div>
      {facts.map(([name, says]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{says}</dd>
        </div>
      ))}
    </dl>
  );
}

function Contents({ letter: { error, stack, payload, headers, properties } }: { letter: WireLetterDetails }) {
  return (
    <>
      {error !== undefined && (
        <section aria-labelledby="error">
          <h2 id="error">Error</h2>
          <p class="error-text whole">{error}</p>
          {stack !== undefined && <Block label="Stack" text={stack} />}
        </section>
      )}
      {[['Payload', payload] as const, ['Headers', headers] as const, ['Properties', properties] as const].map(
        ([label, text]) => (
          <section key={label} aria-labelledby={label}>
            <h2 id={label}>{label}</h2>
            <Block label={label} text={text} />
          </section>
        ),
      )}
    </>
  );
}

function Block({ label, text }: { label: string; text: string }) {
  return (
    <pre tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

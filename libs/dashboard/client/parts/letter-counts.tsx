import type { WireLetters } from '../../src/wire.js';
import { useLook } from '../live/use-look.js';
import { clock, count, plural } from './format.js';

/** Dead letters by reason. They are counted when somebody asks: their queue has one reader at a time. */
export function LetterCounts() {
  const { value, problem, busy, again } = useLook<WireLetters>('letters', { limit: '1000' });
  return (
    <section aria-labelledby="letters">
      <h2 id="letters">
        <a href="#/dead-letters">Dead letters</a>
      </h2>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {value !== undefined && <Counts {...value} />}
      <p class="note">
        {value !== undefined && `As of ${clock(value.at)}. `}
        <button type="button" class="small" onClick={again} disabled={busy}>
          {busy ? 'Counting …' : 'Count again'}
        </button>
      </p>
    </section>
  );
}

function Counts({ letters, total, more }: WireLetters) {
  const byReason = new Map<string, number>();
  for (const { reason = 'unknown' } of letters) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  if (total === 0) return <p class="empty">None.</p>;
  return (
    <>
      <p>
        {plural(total, 'dead letter')}
        {more && `; reasons of the first ${count(letters.length)}:`}
      </p>
      <ul class="counts">
        {[...byReason].map(([reason, number]) => (
          <li key={reason}>
            <a href={`#/dead-letters?reason=${encodeURIComponent(reason)}`}>{reason}</a>{' '}
            <span class="num">{count(number)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

import type { Notice } from '../live/context.js';

/** What actions came to. It stays until it is closed: whoever looked away has not missed it. */
export function Notices({ notices, close }: { notices: readonly Notice[]; close: (ids: readonly string[]) => void }) {
  const ended = notices.filter(({ kind }) => kind !== 'going').map(({ id }) => id);
  return (
    <div class="notices" role="log" aria-label="What actions came to">
      {notices.map(({ id, kind, text }) => (
        <p key={id} class={`notice ${kind}`}>
          <span>{text}</span>
          {kind !== 'going' && (
            <button type="button" class="small" onClick={() => close([id])} aria-label={`Close: ${text}`}>
              Close
            </button>
          )}
        </p>
      ))}
      {ended.length > 1 && (
        <button type="button" class="small" onClick={() => close(ended)}>
          Close all {ended.length}
        </button>
      )}
    </div>
  );
}

/** How a callback ended. An abandoned one still runs, but nobody waits for it any more. */
export type CallbackEnd =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown; readonly abandoned: boolean };

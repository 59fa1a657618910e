/** Thrown when a guard refused a message or signal, so that the handler never saw it. */
export class Denied extends Error {
  constructor(readonly reason: unknown) {
    super(`denied by a guard: ${reason instanceof Error ? reason.message : String(reason)}`, { cause: reason });
  }
}

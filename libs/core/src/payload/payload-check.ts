/** What stands between a decoded payload and the handler. */
export interface PayloadCheck {
  /** Loads what it needs, before the first payload. */
  load?(): Promise<void>;

  /**
   * What the handler gets: the payload's class instance, or the schema's output. Perhaps a promise of it.
   * @throws {RefusedPayload} where the payload does not fit
   */
  check(payload: unknown): unknown;
}

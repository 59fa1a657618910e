/**
 * Base of every error of the library. `code` is stable and meant for programs; the message is one sentence that says
 * what is wrong and what to do.
 * @publicApi
 */
export abstract class MississippiError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

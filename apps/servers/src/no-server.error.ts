/** There is no server to start; the message says in two lines how to get one. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError';
}

/**
 * What a header of a message may hold.
 * @publicApi
 */
export type HeaderValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly HeaderValue[]
  | { readonly [name: string]: HeaderValue };

/** @publicApi */
export type MessageHeaders = Readonly<Record<string, HeaderValue>>;

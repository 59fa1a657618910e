import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Nobody guesses 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** In the same time whatever is wrong. */
export function isSame(given: unknown, secret: string): boolean {
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

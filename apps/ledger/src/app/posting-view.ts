import type { Posting } from './account.js';

/** What a caller is told of a transfer or a deposit. */
export interface PostingView {
  id: string;
  /** `pending`: it was taken, and its turn has not come. `refused`: it would have gone below the account's limit. */
  status: 'pending' | 'booked' | 'refused';
  /** As it was posted, whatever else was sent under its id; left out while it is pending. */
  cents?: number;
  peer?: string;
}

export function viewOf(id: string, posting: Posting | null): PostingView {
  if (posting === null) return { id, status: 'pending' };
  const { type, cents, peer } = posting;
  return { id, status: type === 'refusal' ? 'refused' : 'booked', cents, peer };
}

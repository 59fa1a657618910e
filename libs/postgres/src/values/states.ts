import type { AuditedState, LoadedState, StateAction } from '@mississippi/core/store';
import type { Row } from './row.js';

/** Times that PostgreSQL has and `Date` too. Milliseconds before and after 1970. */
const FARTHEST = 1e14;

/** A state as the question for it answers: version, bytes, revision, time of the change. */
export function loadedState([version, bytes, revision, changedAt]: Row): LoadedState {
  return {
    version: Number(version),
    bytes: bytes as Buffer,
    revision: Number(revision),
    changedAt: changedAt === null ? undefined : new Date(Number(changedAt)),
  };
}

/** A row of what operators did. */
export function auditedState(row: Row): AuditedState {
  const [id, key, at, action, by, reason, process, before, after, version, bytes] = row;
  return {
    id: String(id),
    key: key as Buffer,
    at: new Date(Number(at)),
    action: action as StateAction,
    by: String(by),
    reason: String(reason),
    process: String(process),
    previous:
      before === null ? undefined : { revision: Number(before), version: Number(version), bytes: bytes as Buffer },
    revision: after === null ? undefined : Number(after),
  };
}

/** Milliseconds; without a time from the beginning on. */
export function timeOf(since: Date | undefined): number {
  return since === undefined ? -FARTHEST : Math.max(-FARTHEST, Math.min(FARTHEST, since.getTime()));
}

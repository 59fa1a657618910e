import { isDeepStrictEqual } from 'node:util';
import type { AuditEntry, StateChangeOptions, StateReport } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import type { WireAuditEntry, WireState } from '../wire.js';
import { asText, jsonOf } from './as-text.js';
import { type Parameters, textIn } from './parameters.js';

/** Of a state that may be edited: bytes of its text as it comes in a body. */
const LARGEST_STATE = 65_536;
/** Of a body with such a state and what somebody adds to it. Bytes; below what Express takes by default, whose refusal says less. */
export const LARGEST_STATE_BODY = 98_304;
/** Characters of each state in the audit trail. */
const LONGEST_IN_TRAIL = 10_000;

const REDACTED =
  'It cannot be edited here, since redact hides a part of it, and what is hidden would be lost. It can be forgotten, an earlier one can be restored, and MississippiOperator.editState takes a whole one.';
const NO_JSON =
  'It cannot be edited here, since it has values that JSON does not know. MississippiOperator.editState takes them.';
const TOO_LARGE = `It cannot be edited here, since it is larger than ${LARGEST_STATE} bytes. MississippiOperator.editState takes it.`;

export function wireState(report: StateReport | undefined): WireState {
  if (report === undefined) return NO_STATE;
  const { state, problem, version, changedAt, form, size } = report;
  return {
    text: problem === undefined ? asText(state) : null,
    problem: problem ?? null,
    version,
    changedAt: changedAt?.getTime() ?? null,
    form,
    size,
    locked: lockOf(report) ?? null,
  };
}

const NO_STATE: WireState = {
  text: null,
  problem: null,
  version: 0,
  changedAt: null,
  form: null,
  size: 0,
  locked: null,
};

export function wireAuditEntry(entry: AuditEntry): WireAuditEntry {
  const { id, at, action, by, reason, process, versionBefore, versionAfter, previous, problem } = entry;
  const before = versionBefore === 0 ? null : (problem ?? asText(previous, LONGEST_IN_TRAIL));
  return { id, at: at.getTime(), action, by, reason, process, versionBefore, versionAfter, before };
}

/** Why the text that is shown of a state must not be written in its place. One that cannot be read is replaced as a whole. */
export function lockOf({ state, redacted, problem }: StateReport): string | undefined {
  if (problem !== undefined) return undefined;
  if (redacted) return REDACTED;
  const text = jsonOf(state);
  if (text === undefined || !isDeepStrictEqual(JSON.parse(text), state)) return NO_JSON;
  return Buffer.byteLength(JSON.stringify(text)) > LARGEST_STATE ? TOO_LARGE : undefined;
}

/**
 * A state that somebody typed.
 * @throws {Refusal}
 */
export function stateIn(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch (error) {
    throw new Refusal(400, 'state_invalid', `The new state is no JSON: ${(error as Error).message}.`);
  }
}

/**
 * Who changes a state, why, and which one he has seen: without a version an edit would mean that there is none.
 * @throws {Refusal}
 */
export function changeIn({ version, by, reason }: Parameters): StateChangeOptions & { version: number } {
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) {
    throw new Refusal(400, 'parameter_invalid', 'version must be that of the state that was shown; 0 for none.');
  }
  return { version, by: textIn('by', by), reason: textIn('reason', reason) };
}

import type { DeadLetterDetails, DeadLetterReport, KeyReport } from '@mississippi/core';
import type { WireKey, WireLetter, WireLetterDetails } from '../wire.js';
import { asText, bytesAsText } from './as-text.js';
import { addressOf } from './key-address.js';

export function wireKey(report: KeyReport): WireKey {
  return { ...report, key: addressOf(report.key) };
}

export function wireLetter(letter: DeadLetterReport): WireLetter {
  const { id, text, messageId, type, reason, error, attempts, replays, size } = letter;
  const key = letter.key === undefined ? null : addressOf(letter.key);
  const failedAt = letter.failedAt?.getTime() ?? null;
  return { id, key, text, messageId, type, reason, error, attempts, failedAt, replays, size };
}

export function wireLetterDetails(letter: DeadLetterDetails): WireLetterDetails {
  return {
    ...wireLetter(letter),
    timestamp: letter.timestamp,
    stack: letter.stack,
    payload: payloadOf(letter),
    headers: asText(letter.headers),
    properties: asText(letter.properties),
  };
}

function payloadOf({ payload, body }: DeadLetterDetails): string {
  if (payload !== undefined) return asText(payload);
  return body === undefined ? '(not shown)' : bytesAsText(body);
}

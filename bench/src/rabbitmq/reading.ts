import { randomUUID } from 'node:crypto';
import { PUBLISHED_AT_HEADER } from '@mississippi/core';
import type { Options } from 'amqplib';
import { padded } from '../body.js';
import type { Address } from './queues.js';

/** The header of the sharding key, by the wire format. */
export const KEY_HEADER = 'sharding_key';

/** What every message says. */
export interface Reading {
  readonly sequence: number;
  /** {@link now} when it was published. */
  readonly sent: number;
  readonly note: string;
}

/** Nest's transport wraps what it carries; in all its messages are as long as the others'. */
export type Wording = 'plain' | 'nest';

/** The event that Nest's messages name. */
export const PATTERN = 'reading';

/** The machine's monotonic clock, which its processes share. Microseconds. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** The JSON of a message, 128 bytes. */
export function readingBody(wording: Wording, sequence: number, sent = 0): Buffer {
  const reading = { sequence, sent, note: '' };
  return wording === 'plain'
    ? padded(reading, (note) => ({ ...reading, note }))
    : padded({ pattern: PATTERN, data: reading }, (note) => ({ pattern: PATTERN, data: { ...reading, note } }));
}

/** The headers and properties of the library's messages, which all carry here. */
export function properties({ key }: Address): Options.Publish {
  const milliseconds = Date.now();
  return {
    headers: { [KEY_HEADER]: key, [PUBLISHED_AT_HEADER]: { '!': 'long', value: milliseconds } },
    persistent: true,
    mandatory: true,
    messageId: randomUUID(),
    timestamp: Math.floor(milliseconds / 1_000),
  };
}

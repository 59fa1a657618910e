import type { WireKey } from '../../src/wire.js';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const FINE = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const count = (value: number): string => (value < 100_000 ? WHOLE : SHORT).format(value);
export const rate = (value: number): string => `${(value < 10 ? FINE : WHOLE).format(value)}/s`;
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Milliseconds as one or two units that people read. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return '< 1 ms';
  if (ms < 1_000) return `${WHOLE.format(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${FINE.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB');
export const moment = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC');

export function bytes(size: number): string {
  return size < 1_024 ? `${size} B` : `${FINE.format(size / 1_024)} KB`;
}

/** What keeps a key from going on, as a label and as a sentence. */
export const TROUBLES: Readonly<Record<NonNullable<WireKey['trouble']>, { label: string; means: string }>> = {
  hanging: {
    label: 'Hanging',
    means:
      'A callback of it has run for longer than hangingInterval. No action ends a callback that runs: see to what it waits for. After handlerTimeout it is aborted and its message tried again; a restart of its process does that at once. To be rid of the message, pause the key, and drop the first message once its callback was aborted.',
  },
  failing: { label: 'Failing', means: 'Its first message failed and is tried again.' },
  startFailing: { label: 'Start fails', means: 'init failed, and is tried again with the first message.' },
  parked: { label: 'Parked', means: 'It is held, and handles nothing until somebody resumes it.' },
  pressure: {
    label: 'Under pressure',
    means: 'It was moved aside because it held up its shard. It goes on by itself.',
  },
  storeAway: { label: 'Store away', means: 'The store does not answer. It goes on by itself once it does.' },
  deadLetterRefused: {
    label: 'Dead letter refused',
    means: 'The dead letter of its first message was not taken by the broker, and is tried again.',
  },
  sideQueueFull: {
    label: 'Side queue full',
    means: 'The side queue of its shard is full: resume or drop what is parked in that shard.',
  },
};

const TRIED_AGAIN =
  'Once what made it fail is mended, or that message was dropped because it can never be handled, resume the key. If its first message fails then, it is soon parked again.';

/** Why a key is held, and what frees it. */
export const HELD: Readonly<Record<NonNullable<WireKey['parkReason']>, string>> = {
  attempts_exhausted: `It was parked because its first message failed at each attempt that the failure policy allows. ${TRIED_AGAIN}`,
  error_rule: `It was parked because its first message failed with an error at which a rule of the failure policy parks keys. ${TRIED_AGAIN}`,
  unknown_type: `It was parked because the handler knows no messages of the type of its first one. ${TRIED_AGAIN}`,
  type_paused: 'Somebody paused messages of the type of its first one: resume that type.',
  operator: 'Somebody paused it. Resume it when its messages are to be handled again.',
  pressure: 'It was moved aside because it held up its shard, and is held besides: resume it.',
};

export function isTrouble(name: string): name is keyof typeof TROUBLES {
  return Object.hasOwn(TROUBLES, name);
}

/** A process's name without what all have in common would be ambiguous: the middle goes, not the end. */
export function shortName(name: string): string {
  return name.length <= 34 ? name : `${name.slice(0, 18)}…${name.slice(-14)}`;
}

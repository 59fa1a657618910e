export { FakeClock } from './clock/fake-clock.js';
export {
  callbackContext,
  messageContext,
  type CallbackContextParts,
  type MessageContextParts,
  type TestContext,
} from './contexts/callback-context.js';
export type { CallbackChoice, FailOptions, Hang, HangOptions } from './harness/callback-faults.js';
export type { HarnessOptions } from './harness/harness-options.interface.js';
export {
  InstanceHarness,
  type HarnessDeadLetter,
  type Outcome,
  type ParkedKey,
  type SendOptions,
  type SignalOptions,
} from './harness/instance-harness.js';
export type { HarnessEvent, JournalEntry, PublishedMessage } from './harness/journal-entry.interface.js';
export { MississippiHarness } from './harness/mississippi-harness.js';
export { NotSettledError, type Unfinished } from './harness/not-settled.error.js';
export type { SettleOptions } from './harness/settle.js';

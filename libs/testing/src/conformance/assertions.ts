import assert from 'node:assert/strict';
import type { HeaderValue, MessageHeaders, MessageProperties } from '@mississippi/core';
import { PROPERTY_NAMES, type OutgoingMessage } from '@mississippi/core/transport';
import type { DeadLetter } from '../transport/harness.js';

/** `null` has no counterpart in Elixir's messages but the empty string; a fraction is a 32 bit float there. */
const FLOAT32_PRECISION = 1e-6;

export function idsOf(messages: readonly { readonly messageId: string | undefined }[]): (string | undefined)[] {
  return messages.map((message) => message.messageId);
}

/** Asserts which messages these are, and their order. */
export function assertIds(
  actual: readonly { readonly messageId: string | undefined }[],
  expected: readonly { readonly messageId: string | undefined }[],
  what: string,
): void {
  assert.deepEqual(idsOf(actual), idsOf(expected), what);
}

export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array | undefined, what: string): void {
  if (actual === undefined || expected === undefined) {
    assert.equal(actual, expected, what);
    return;
  }
  assert.ok(actual instanceof Uint8Array, `${what} must be bytes`);
  if (Buffer.compare(actual, expected) === 0) return;
  assert.fail(`${what}: expected ${hex(expected)}, got ${hex(actual)}`);
}

/** Asserts that everything of a message is as it was published. */
export function assertSameMessage(actual: DeadLetter, expected: OutgoingMessage): void {
  const name = expected.messageId;
  assert.equal(actual.messageId, expected.messageId, `the message id of ${name}`);
  assert.equal(actual.timestamp, expected.timestamp, `the timestamp of ${name}`);
  assertBytes(actual.key, expected.key, `the key of ${name}`);
  assertBytes(actual.body, expected.body, `the body of ${name}`);
  assertHeaders(actual.headers, expected.headers, name);
  assertProperties(actual.properties, expected.properties, name);
}

/** Asserts that the properties are those that are expected, and no others. */
export function assertProperties(
  actual: MessageProperties | undefined,
  expected: MessageProperties | undefined,
  what: string,
): void {
  for (const name of PROPERTY_NAMES) assert.equal(actual?.[name], expected?.[name], `the ${name} of ${what}`);
}

/** Asserts that the headers hold what is expected. The transport may have added others. */
export function assertHeaders(actual: MessageHeaders, expected: MessageHeaders, what: string): void {
  for (const [name, value] of Object.entries(expected)) {
    assertHeader(actual[name], value, `the header ${name} of ${what}`);
  }
}

function assertHeader(actual: HeaderValue | undefined, expected: HeaderValue, what: string): void {
  if (expected === null) {
    assert.ok(actual === null || actual === '', `${what} must be null or, where the broker has none, empty`);
  } else if (expected instanceof Uint8Array) {
    assert.ok(actual instanceof Uint8Array, `${what} must be bytes`);
    assertBytes(actual, expected, what);
  } else if (typeof expected === 'number' && !Number.isInteger(expected)) {
    assert.ok(typeof actual === 'number', `${what} must be a number`);
    assert.ok(Math.abs(actual - expected) <= Math.abs(expected) * FLOAT32_PRECISION, `${what} is too imprecise`);
  } else if (typeof expected === 'number' || typeof expected === 'bigint') {
    assert.ok(typeof actual === 'number' || typeof actual === 'bigint', `${what} must be an integer`);
    assert.equal(BigInt(actual), BigInt(expected), what);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${what} must be a list`);
    assert.equal(actual.length, expected.length, `the length of ${what}`);
    expected.forEach((item, index) =>
      assertHeader(actual[index] as HeaderValue, item as HeaderValue, `${what}[${index}]`),
    );
  } else if (typeof expected === 'object') {
    assert.ok(isTable(actual), `${what} must be a table`);
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), `the names in ${what}`);
    assertHeaders(actual, expected as MessageHeaders, what);
  } else {
    assert.equal(actual, expected, what);
  }
}

function isTable(value: HeaderValue | undefined): value is MessageHeaders {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function hex(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString('hex');
  return `${bytes.length} bytes ${shown}${bytes.length > 32 ? '…' : ''}`;
}

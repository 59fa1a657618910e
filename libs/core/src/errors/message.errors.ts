import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/** @publicApi */
export class InvalidMessageError extends MississippiError {
  readonly code = 'invalid_message';

  static timestamp(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The timestamp must be Unix time in whole seconds, from 0 on, such as Math.floor(Date.now() / 1000), not ${describe(value)}.`,
    );
  }

  static messageId(value: unknown): InvalidMessageError {
    return new InvalidMessageError(`The messageId must be a string, not ${describe(value)}; left out, a UUID is made.`);
  }

  static unwritableMessageId(): InvalidMessageError {
    return new InvalidMessageError(
      'The messageId must be a text of at most 255 bytes in UTF-8, without halves of surrogate pairs; left out, a UUID is made.',
    );
  }

  /** @param name of the property, as in `MessageProperties` */
  static property(name: string, value: unknown): InvalidMessageError {
    return new InvalidMessageError(`The ${name} must be a string, not ${describe(value)}.`);
  }

  static unwritableProperty(name: string): InvalidMessageError {
    return new InvalidMessageError(
      `The ${name} must be a text of at most 255 bytes in UTF-8, without halves of surrogate pairs.`,
    );
  }

  static directReply(queue: string): InvalidMessageError {
    return new InvalidMessageError(
      `The replyTo cannot be '${queue}', where only the connection that publishes could be answered: give a queue of your own.`,
    );
  }

  static directMessage(value: unknown): InvalidMessageError {
    return new InvalidMessageError(`handleMessage takes a key and { payload, … }, not ${describe(value)}.`);
  }

  static headers(value: unknown): InvalidMessageError {
    return new InvalidMessageError(`The headers must be an object of names and values, not ${describe(value)}.`);
  }

  /** @param path of the value among the headers */
  static header(path: string, why: string, cause?: unknown): InvalidMessageError {
    const options = cause === undefined ? {} : { cause };
    return new InvalidMessageError(`The header '${path}' cannot be sent: ${why}.`, options);
  }

  static headerValue(path: string, value: unknown): InvalidMessageError {
    return InvalidMessageError.header(
      path,
      `text, a number, a bigint, a boolean, null, a Uint8Array, or a list or plain object of these was expected, not ${describe(value)}`,
    );
  }

  static untypedPayload(type: string, member: string, payload: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The instance reads a message's type from its payload (typeFrom), so that one of the type '${type}' must be an object, with ${member}: '${type}', not ${describe(payload)}.`,
    );
  }

  static otherType(type: string, member: string, found: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The instance reads a message's type from its payload (typeFrom), where ${member} is ${describe(found)}: leave it out, or say '${type}' there.`,
    );
  }

  static signalName(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The name of a signal must be a text of 1 to 255 bytes in UTF-8, without halves of surrogate pairs, not ${describe(value)}.`,
    );
  }

  /** @param name `by` or `reason` */
  static auditText(name: string, value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `Whoever changes a state says who and why: ${name} must be a text of 1 to 1,000 characters, without halves of surrogate pairs and zero bytes, not ${describe(value)}.`,
    );
  }

  static stateVersion(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The version must be that of the state as operator.state(key) says it, a whole number, or 0 where there is none, not ${describe(value)}.`,
    );
  }

  static filter(name: string): InvalidMessageError {
    return new InvalidMessageError(
      `The filter of dead letters has ${name}, which is undefined, and would mean more of them than you do: leave it out, or say {} for all.`,
    );
  }

  static since(value: unknown): InvalidMessageError {
    return new InvalidMessageError(`The option since must be a date, not ${describe(value)}.`);
  }

  static type(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The type of messages must be a text of 1 to 255 bytes in UTF-8, without halves of surrogate pairs, not ${describe(value)}.`,
    );
  }

  static rate(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The rate must be a number of messages a second above 0, or Infinity, not ${describe(value)}; left out, it is 500.`,
    );
  }

  static timeout(value: unknown): InvalidMessageError {
    return new InvalidMessageError(
      `The timeout must be a number of milliseconds from 0 on, or Infinity, not ${describe(value)}; left out, the default counts.`,
    );
  }
}

/** @publicApi */
export class PayloadEncodeError extends MississippiError {
  readonly code = 'payload_unencodable';

  constructor(cause: unknown) {
    super(`The payload cannot be encoded, so nothing was sent: ${describe(cause)}`, { cause });
  }
}

/** @publicApi */
export class PayloadDecodeError extends MississippiError {
  readonly code = 'payload_undecodable';

  constructor(cause: unknown) {
    super(`The payload cannot be decoded: ${describe(cause)}`, { cause });
  }
}

/** @publicApi */
export class PayloadInvalidError extends MississippiError {
  readonly code = 'payload_invalid';

  constructor(
    /** The class that it should have been; `undefined` where a schema or a pipe objects. */
    className: string | undefined,
    /** What is wrong with it, one sentence each. */
    readonly problems: readonly string[],
  ) {
    super(`The payload is ${className === undefined ? 'not valid' : `no valid ${className}`}: ${problems.join('; ')}`);
  }
}

/**
 * No method of the handler claims the type of a message; `onUnknownType` says what becomes of it.
 * @publicApi
 */
export class UnknownMessageTypeError extends MississippiError {
  readonly code = 'unknown_type';

  constructor(
    handler: string,
    /** `undefined` where the message has none. */
    readonly type: string | undefined,
    known: readonly string[],
  ) {
    const what = type === undefined ? 'without a type' : `of the type '${type}'`;
    const decorator =
      type === undefined ? '@OnMessage()' : `@OnMessage('${type}'), or @OnMessage() for all other types`;
    super(
      `No method of ${handler} handles messages ${what} (it has: ${known.join(', ')}): add one with ${decorator}; what becomes of such a message, the option onUnknownType says.`,
    );
  }
}

import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/**
 * What is wrong with one option.
 * @publicApi
 */
export interface OptionProblem {
  /** Where in the options, as `forRoot.failurePolicy.attempts`. */
  readonly path: string;
  readonly expected: string;
}

/**
 * Options that cannot be used; names each one's path and what was expected.
 * @publicApi
 */
export class InvalidOptionsError extends MississippiError {
  readonly code = 'invalid_options';

  constructor(readonly problems: readonly OptionProblem[]) {
    super(
      problems.length === 1
        ? `Invalid option ${problems[0]!.path}: ${problems[0]!.expected}.`
        : `${problems.length} invalid options:\n${problems.map((p) => `  - ${p.path}: ${p.expected}`).join('\n')}`,
    );
  }
}

/** @publicApi */
export class MissingHandlerError extends MississippiError {
  readonly code = 'missing_handler';

  constructor(instance: string) {
    const argument = instance === 'default' ? '' : `{ instance: '${instance}' }`;
    super(
      `No message handler was found for the instance '${instance}': decorate one provider with @MessageHandler(${argument}) ` +
        `and list it in the providers of a module, or set producerOnly: true in an app that only publishes.`,
    );
  }
}

/** @publicApi */
export class DuplicateHandlerError extends MississippiError {
  readonly code = 'duplicate_handler';

  constructor(instance: string, handlers: readonly string[]) {
    super(
      `The instance '${instance}' has ${handlers.length} message handlers (${handlers.join(', ')}), but takes exactly one: ` +
        `provide one of them, in one module, or give each an instance of its own with forRoot({ name }) and @MessageHandler({ instance }).`,
    );
  }
}

/** @publicApi */
export class UnexpectedHandlerError extends MississippiError {
  readonly code = 'unexpected_handler';

  constructor(instance: string, className: string) {
    super(
      `${className} is a message handler of the instance '${instance}', which is producerOnly: remove the handler from this app, or producerOnly.`,
    );
  }
}

/** @publicApi */
export class UnknownInstanceError extends MississippiError {
  readonly code = 'unknown_instance';

  constructor(instance: string, className: string, known: readonly string[]) {
    super(
      `${className} handles messages of the instance '${instance}', which does not exist (there is: ${known.join(', ')}): ` +
        `register it with MississippiModule.forRoot({ name: '${instance}' }), or correct the name in @MessageHandler.`,
    );
  }
}

/** @publicApi */
export class DuplicateInstanceError extends MississippiError {
  readonly code = 'duplicate_instance';

  constructor(instance: string) {
    super(
      `MississippiModule is registered twice under the name '${instance}': register it once, or give each registration a name of its own with forRoot({ name }).`,
    );
  }
}

/**
 * Two instances, of one app or of two, were given one transport object.
 * @publicApi
 */
export class TransportInUseError extends MississippiError {
  readonly code = 'transport_in_use';

  constructor(transport: string, instance: string, user: string) {
    super(
      `The instance '${instance}' was given the transport object (${transport}) that the instance '${user}' uses, so each would handle messages of the other: ` +
        `make one for each instance; an object may be used again once the app that used it has closed.`,
    );
  }
}

/** @publicApi */
export class HandlerScopeError extends MississippiError {
  readonly code = 'handler_scope';

  constructor(className: string) {
    super(
      `${className} is a request-scoped or transient provider, but a message handler must be a singleton: remove its scope, ` +
        `and the scope of what it injects and of its guards, pipes, interceptors and filters (state per key belongs into init and the callbacks' state argument).`,
    );
  }
}

/** @publicApi */
export class InvalidHandlerError extends MississippiError {
  readonly code = 'invalid_handler';

  constructor(className: string, problem: string) {
    super(`${className} is decorated with @MessageHandler but ${problem}.`);
  }
}

/**
 * A function of the failure policy threw, or its answer makes no sense. It is logged, never thrown: the ordinary policy
 * applies.
 * @publicApi
 */
export class FailurePolicyError extends MississippiError {
  readonly code = 'failure_policy';

  static thrown(option: string, cause: unknown): FailurePolicyError {
    return new FailurePolicyError(`failurePolicy.${option} threw, so the ordinary policy applies: ${describe(cause)}`, {
      cause,
    });
  }

  static answered(option: string, answer: string, expected: string): FailurePolicyError {
    return new FailurePolicyError(
      `failurePolicy.${option} returned ${answer}, so the ordinary policy applies: return ${expected}, or nothing.`,
    );
  }
}

/**
 * A payload class needs packages that are not installed.
 * @publicApi
 */
export class MissingPackageError extends MississippiError {
  readonly code = 'missing_package';

  constructor(
    className: string,
    readonly packages: readonly string[],
  ) {
    super(
      `The payload class ${className} needs ${packages.join(' and ')}, which ${packages.length === 1 ? 'is' : 'are'} not installed: ` +
        `run npm install ${packages.join(' ')}, or give a schema of another library or 'json' as the payload.`,
    );
  }
}

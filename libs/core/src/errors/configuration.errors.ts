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

  /**
   * @param lookalikes providers that have what a handler has, but for the decorator
   * @param parts those with `@MessageHandlerPart`
   */
  constructor(instance: string, lookalikes: readonly string[] = [], parts: readonly string[] = []) {
    const argument = instance === 'default' ? '' : `{ instance: '${instance}' }`;
    const decorator = `@MessageHandler(${argument})`;
    super(
      lookalikes.length > 0
        ? `No message handler was found for the instance '${instance}', but ${lookalikes.join(', ')} ${lookalikes.length === 1 ? 'looks' : 'look'} like one: decorate it with ${decorator}.`
        : `No message handler was found for the instance '${instance}'${partsOf(parts)}: decorate one provider with ${decorator} ` +
            `and list it in the providers of a module, or set producerOnly: true in an app that only publishes.`,
    );
  }
}

function partsOf(parts: readonly string[]): string {
  return parts.length === 0
    ? ''
    : `, of which ${parts.join(', ')} can only be ${parts.length === 1 ? 'a part' : 'parts'}`;
}

/** @publicApi */
export class DuplicateHandlerError extends MississippiError {
  readonly code = 'duplicate_handler';

  constructor(instance: string, handlers: readonly string[]) {
    super(
      `The instance '${instance}' has ${handlers.length} message handlers (${handlers.join(', ')}), but takes exactly one: ` +
        `provide one of them, in one module; make the others parts of it, without init, by @MessageHandlerPart({ instance: '${instance}' }); ` +
        `or give each an instance of its own with forRoot({ name }) and @MessageHandler({ instance }).`,
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

/**
 * `MississippiModule` is imported as it is, or `forFeature` names an instance that nobody registers.
 * @publicApi
 */
export class NotRegisteredError extends MississippiError {
  readonly code = 'not_registered';

  /** @internal */
  static bare(): NotRegisteredError {
    return new NotRegisteredError(
      'MississippiModule was imported without options: import MississippiModule.forRoot(…) in the root module, once for each instance, ' +
        'and MississippiModule.forFeature() where a feature module needs its services.',
    );
  }

  /** @internal */
  static feature(instance: string, known: readonly string[]): NotRegisteredError {
    const there = known.length === 0 ? 'there is none' : `there is: ${known.join(', ')}`;
    const call = instance === 'default' ? 'forRoot()' : `forRoot({ name: '${instance}' })`;
    return new NotRegisteredError(
      `MississippiModule.forFeature('${instance}') was imported, but the instance '${instance}' does not exist (${there}): ` +
        `import MississippiModule.${call} in the root module, or correct the name.`,
    );
  }
}

/**
 * Two methods of a handler say that they handle the same messages, or the same signals.
 * @publicApi
 */
export class DuplicateMethodError extends MississippiError {
  readonly code = 'duplicate_method';

  constructor(instance: string, decorator: string, first: string, second: string) {
    super(
      `${first} and ${second} both are for ${decorator} of the instance '${instance}'${decorator.endsWith('()') ? ', that is for whatever no other method claims' : ''}: keep one of them, or change what the other one is for.`,
    );
  }
}

/** @publicApi */
export class DuplicateInstanceError extends MississippiError {
  readonly code = 'duplicate_instance';

  constructor(instance: string) {
    super(
      `MississippiModule is registered twice under the name '${instance}': register it once, in the root module; where a feature module needs its services, ` +
        `import MississippiModule.forFeature(${instance === 'default' ? '' : `'${instance}'`}); for another instance, give it a name of its own with forRoot({ name }).`,
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

  constructor(
    className: string,
    problem: string,
    whole = `${className} is decorated with @MessageHandler but ${problem}.`,
  ) {
    super(whole);
  }

  /** @internal */
  static part(className: string, callback: string, owner: string): InvalidHandlerError {
    const text = `${className} is a part of ${owner} but has a method ${callback}, which belongs to ${owner} alone, as the keys and their state do: move it there, or rename it.`;
    return new InvalidHandlerError(className, callback, text);
  }

  /** @internal */
  static method(className: string, method: string, what: string): InvalidHandlerError {
    const text = `${className}.${method} is decorated with @OnMessage or @OnSignal but is ${what}, so that nobody would call it: decorate an ordinary method.`;
    return new InvalidHandlerError(className, '', text);
  }

  /** @internal */
  static emptyPart(className: string): InvalidHandlerError {
    const text = `${className} is decorated with @MessageHandlerPart but has no method with @OnMessage or @OnSignal, so that it would handle nothing: decorate its methods, or take it out of the providers.`;
    return new InvalidHandlerError(className, '', text);
  }

  /** @internal */
  static severalTimes(className: string, modules: readonly string[]): InvalidHandlerError {
    const text = `${className} is a provider of ${modules.join(' and of ')}, and each would be a part of its own for the same messages: list it in the providers of one module.`;
    return new InvalidHandlerError(className, '', text);
  }

  /** @internal */
  static undecorated(className: string, method: string | undefined): InvalidHandlerError {
    const has = method === undefined ? 'has' : `has the method ${method} with @OnMessage or @OnSignal, but`;
    const text = `${className} ${has} no decorator of its own, so that nobody would call it: decorate the class with @MessageHandler(…), or with @MessageHandlerPart(…) where another class has init.`;
    return new InvalidHandlerError(className, '', text);
  }

  /** @internal */
  static otherInstance(className: string, instance: string, service: string): InvalidHandlerError {
    const text = `${className} is for the instance '${instance}', but the DataUpdaterService is that of '${service}': inject the other one with @InjectDataUpdaterService('${instance}').`;
    return new InvalidHandlerError(className, '', text);
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

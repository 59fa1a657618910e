import { inTable, type CalledMethod, type MessageMethod, type MethodTable } from '../../methods/handler-methods.js';
import { PayloadReader } from '../../payload/payload-reader.js';
import type { ResolvedFailurePolicy, TypeSource } from '../../mississippi.options.js';
import type { FailurePolicy } from '../base/failure-policy.js';
import type { MessageMetadata } from './callback-run.js';
import { isInPayload, typeIn, typeOf } from './message-type.js';

/** What handles messages of a type. */
export interface MessageRoute {
  readonly call: CalledMethod;
  /** In place of the instance's: it checks what that has decoded. */
  readonly reader: PayloadReader | undefined;
  /** In place of the instance's. */
  readonly policy: FailurePolicy | undefined;
}

/** Which method handles which messages, and where their type is. It never changes. */
export class MessageRoutes {
  /** Whether the type is known only once the payload is decoded. */
  readonly inPayload: boolean;
  private readonly table: MethodTable<MessageRoute>;

  constructor(
    table: MethodTable<MessageMethod>,
    private readonly source: TypeSource,
    policyOf: (options: ResolvedFailurePolicy) => FailurePolicy,
  ) {
    const routeOf = ({ call, payload, failurePolicy }: MessageMethod): MessageRoute => ({
      call,
      reader: payload === undefined ? undefined : new PayloadReader(payload),
      policy: failurePolicy === undefined ? undefined : policyOf(failurePolicy),
    });
    this.inPayload = isInPayload(source);
    this.table = {
      byName: new Map([...table.byName].map(([name, method]) => [name, routeOf(method)])),
      other: table.other && routeOf(table.other),
    };
  }

  /** The types that there are methods for. */
  get types(): string[] {
    return [...this.table.byName.keys()];
  }

  /** @throws {MissingPackageError} by a rejected promise */
  async load(): Promise<void> {
    const { byName, other } = this.table;
    for (const { reader } of byName.values()) await reader?.load();
    await other?.reader?.load();
  }

  /** What handles messages of a type; `undefined` where nobody does. */
  find(type: string | undefined): MessageRoute | undefined {
    return inTable(this.table, type);
  }

  /** The type of a message, where that is not in its payload. */
  typeOf(message: MessageMetadata): string | undefined {
    return typeOf(this.source, message);
  }

  /** The type of a message by its decoded payload. */
  typeIn(payload: unknown): string | undefined {
    return typeIn(this.source, payload);
  }
}

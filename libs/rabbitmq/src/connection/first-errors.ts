import type { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';

/** amqplib's connection, as far as it is touched here. */
interface AcceptingConnection extends EventEmitter {
  acceptLoop: (this: AcceptingConnection) => void;
}

const nobody = (): void => undefined;
const borne = new WeakSet<AcceptingConnection>();

/**
 * amqplib 2.3 handles what came in the packet that opens a connection before anybody can have it, and an error event without a
 * listener ends the process: a broker that closes a connection as it opens would end the app. From the first connection on,
 * whoever gets one finds it closed instead. (amqplib lets nobody import the class.)
 */
export function bearFirstErrors({ connection }: ChannelModel): void {
  const prototype = Object.getPrototypeOf(connection) as AcceptingConnection;
  if (borne.has(prototype)) return;
  borne.add(prototype);
  const { acceptLoop } = prototype;
  prototype.acceptLoop = function () {
    this.on('error', nobody);
    acceptLoop.call(this);
    this.off('error', nobody);
  };
}

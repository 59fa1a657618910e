import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ChannelModel } from 'amqplib';
import { ownFile } from './own-file.js';

/** amqplib's connection, as far as it is touched here. */
interface AcceptingConnection extends EventEmitter {
  acceptLoop: (this: AcceptingConnection) => void;
}

const nobody = (): void => undefined;
const borne = new WeakSet<AcceptingConnection>();
let looked = false;

/**
 * amqplib 2.3 handles what came in the packet that opens a connection before anybody can have it, and an error event without a
 * listener ends the process: a broker that closes a connection as it opens would end the app. After this, whoever gets one
 * finds it closed instead.
 */
export function bearFirstErrors(): void {
  if (looked) return;
  looked = true;
  const prototype = prototypeInFile();
  if (prototype !== undefined) bear(prototype);
}

/** The same from this connection on, where amqplib is not in files of its own, as in a bundle. */
export function bearErrorsLike({ connection }: ChannelModel): void {
  bear(Object.getPrototypeOf(connection) as AcceptingConnection);
}

/** amqplib lets nobody import the class by a name, and makes none before its first connection is open; so by its file. */
function prototypeInFile(): AcceptingConnection | undefined {
  try {
    const require = createRequire(ownFile());
    const file = join(dirname(require.resolve('amqplib')), 'lib', 'connection.js');
    return (require(file) as { Connection: { prototype: AcceptingConnection } }).Connection.prototype;
  } catch {
    return undefined;
  }
}

function bear(prototype: AcceptingConnection): void {
  if (borne.has(prototype)) return;
  borne.add(prototype);
  const { acceptLoop } = prototype;
  prototype.acceptLoop = function () {
    this.on('error', nobody);
    acceptLoop.call(this);
    this.off('error', nobody);
  };
}

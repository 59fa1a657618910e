import type { ShardConsumer, ShardReceiver } from '@mississippi/core/transport';

/** Takes what is delivered, and does nothing with it. */
export const idleReceiver: ShardReceiver = {
  epoch: 1,
  deliver: () => undefined,
  lost: () => undefined,
  signal: () => Promise.resolve(new Uint8Array(0)),
  release: () => Promise.resolve(),
};

/** Owns whatever it is given. */
export const idleConsumer: ShardConsumer = { open: () => idleReceiver };

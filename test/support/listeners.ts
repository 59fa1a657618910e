import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Where this machine is reached by others, and where whoever listens on every interface is found too. */
export function otherAddresses(): string[] {
  const outer = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address),
  );
  // On Linux all of 127.0.0.0/8 is the loopback, so there is an address even where there is no network.
  return process.platform === 'linux' ? [...outer, '127.0.0.2'] : outer;
}

/** Whether somebody listens there. */
export function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(10_000, () => socket.destroy(new Error('neither accepted nor refused')));
    const settle = (answers: boolean) => () => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

import type { Capability } from '../harness.js';
import type { Peer } from '../peer.js';
import type { RecordedSession } from '../recorded-session.js';
import type { Stage } from '../stage.js';

/** A way in which an epoch ends. */
export interface Ending {
  /** Completes "after ...". */
  readonly name: string;
  readonly needs: readonly Capability[];
  /** Ends the epoch; returns who may own the shard next. */
  end(stage: Stage, peer: Peer, session: RecordedSession): Promise<Peer>;
}

export const sessionClosed: Ending = {
  name: 'the session was closed',
  needs: [],
  end: async (_stage, peer, session) => {
    await session.close();
    return peer;
  },
};

export const connectionClosed: Ending = {
  name: 'the connection was closed',
  needs: [],
  end: async (stage, peer) => {
    await peer.close();
    return stage.consumer();
  },
};

export const crashed: Ending = {
  name: 'a crash',
  needs: [],
  end: async (stage, peer) => {
    await peer.crash();
    return stage.consumer();
  },
};

export const shardLost: Ending = {
  name: 'the shard was lost',
  needs: ['loseShard'],
  end: async (_stage, peer, session) => {
    await peer.lose(session.shard);
    return peer;
  },
};

export const givenUp: Ending = {
  name: 'the session was given up',
  needs: [],
  end: async (_stage, peer, session) => {
    session.giveUp(new Error('the epoch cannot go on'));
    return peer;
  },
};

export const endings: readonly Ending[] = [sessionClosed, connectionClosed, crashed, shardLost, givenUp];

/** Those after which the same connection goes on. */
export const sessionEndings: readonly Ending[] = [sessionClosed, shardLost, givenUp];

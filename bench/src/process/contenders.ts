import type { Dispatcher, Setup } from './dispatcher.js';
import { directCalls, mississippi } from './mississippi.js';
import { PEERS, type PeerName } from './peers.js';

export type ContenderName = 'mississippi' | PeerName;

/** @param answers whether the caller gets a promise for each message */
export async function openContender(name: ContenderName, setup: Setup, answers: boolean): Promise<Dispatcher> {
  if (name === 'mississippi') return answers ? directCalls(setup) : mississippi(setup);
  return PEERS[name](setup, answers);
}

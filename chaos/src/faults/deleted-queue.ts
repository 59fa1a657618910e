import type { Layout, Witness } from './witness.js';

const DELETABLE = ['signals', 'meta', 'application', 'members', 'coordinator', 'deadLetters'] as const;

export type Deletable = (typeof DELETABLE)[number] | 'parked';

/** What may be deleted without the loss of a message: nobody's work lies in it. Quorum queues are not deleted on conditions. */
export function deletablesOf({ quorum, store }: Layout): readonly Deletable[] {
  // With a store what was discarded is compared with what is there.
  const without = DELETABLE.filter((what) => store === undefined || what !== 'deadLetters');
  return quorum ? without : [...without, 'parked'];
}

/**
 * Deletes a queue of the app. Returns its name where it was there and is deleted. A side queue is deleted only
 * where nothing is in it and nobody reads it, which only a classic queue tells and does at once: what a reader holds is
 * neither ready nor safe.
 */
export async function deleteOne(witness: Witness, what: Deletable, shard: number): Promise<string | undefined> {
  const { names } = witness;
  if (what === 'parked') {
    const name = names.parked(shard);
    return (await deleteUnused(witness, name)) ? name : undefined;
  }
  const name = what === 'signals' ? names.signals(shard) : names[what];
  if ((await witness.queue(name)) === undefined) return undefined;
  await witness.onChannel((channel) => channel.deleteQueue(name));
  return name;
}

async function deleteUnused(witness: Witness, name: string): Promise<boolean> {
  if ((await witness.queue(name)) === undefined) return false;
  return witness
    .onChannel((channel) => channel.deleteQueue(name, { ifUnused: true, ifEmpty: true }))
    .then(
      () => true,
      () => false, // Something is in it, or somebody reads it.
    );
}

/** Whether it is there again. */
export function isBack(witness: Witness, name: string): Promise<boolean> {
  return witness.queue(name).then((seen) => seen !== undefined);
}

import type { DeadLetterReader, TransportConnection } from '@mississippi/core/transport';
import type { Mutant, Seed } from './mutant.js';

/** A connection whose readers differ. */
function reading(
  change: (reader: DeadLetterReader, seed: Seed, connection: TransportConnection) => Partial<DeadLetterReader>,
): NonNullable<Mutant['connection']> {
  return (connection, seed) => ({
    readDeadLetters: async () => {
      const reader = await connection.readDeadLetters!();
      return { ...reader, ...change(reader, seed, connection) };
    },
  });
}

/** Readers of the dead letters that lose, double or disturb them. */
export const deadLetterReaderMutants: readonly Mutant[] = [
  {
    name: 'a reader takes away what it reads',
    by: 'dead letters are read whole',
    says: /what is there still/,
    connection: reading((reader, { tookHold }) => ({
      next: async () => {
        const letter = await reader.next();
        if (letter !== undefined) {
          tookHold();
          reader.remove(letter);
        }
        return letter;
      },
    })),
  },
  {
    name: 'a reader removes nothing',
    by: 'what a reader removes is gone',
    says: /what is read again/,
    connection: reading((_reader, { tookHold }) => ({ remove: tookHold })),
  },
  {
    name: 'a reader goes on with what comes later',
    by: 'a reader does not meet what comes after',
    says: /what is read/,
    connection: reading((reader, { tookHold, broker }) => {
      const letters = broker.deadLetters.letters;
      let at = 0;
      return {
        next: async () => {
          if (at === reader.total && letters.length > at) tookHold();
          const letter = letters[at++];
          return letter && { ...letter, redelivered: true };
        },
      };
    }),
  },
  {
    name: 'two read at a time',
    by: 'dead letters have one reader',
    says: /must be told that it is busy/,
    connection: (connection, { tookHold }) => ({
      readDeadLetters: async () => {
        const reader = await connection.readDeadLetters!();
        await reader.close();
        tookHold();
        return reader;
      },
    }),
  },
];

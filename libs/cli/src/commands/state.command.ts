import { encodeShardingKey } from '@mississippi/core';
import { NotFoundError } from '../errors.js';
import { parseKey } from '../keys/key-argument.js';
import { shown, shownLines } from '../output/plain-text.js';
import { openStore } from '../store/store.js';
import type { Commands } from './context.js';
import { group, type AnyCommand } from './group.js';
import { withKey, type KeyArguments } from './options.js';

export function stateCommand(commands: Commands): AnyCommand {
  return group('state', 'states in the store: show', [showCommand(commands)]);
}

/** It needs no broker to be there: the store has it all. */
function showCommand(commands: Commands): AnyCommand {
  return commands.command<KeyArguments>(
    'show <key>',
    'the stored state of a key, read from the store alone',
    (argv) => withKey(argv),
    async ({ key: typed, keyType }, { settings, printer }) => {
      const found = await settings();
      const store = await openStore(found);
      try {
        const state = await store.state(found.instance, encodeShardingKey(parseKey(typed, keyType)));
        if (state === undefined) {
          throw new NotFoundError(`The store has no state of the key ${typed} in the instance '${found.instance}'.`);
        }
        const bytes = Buffer.from(state.bytes);
        const value = readable(bytes);
        printer.answer({ key: typed, keyType, version: state.version ?? null, form: state.form, ...value }, () => [
          printer.paint.dim(
            `${shown(typed)}: version ${state.version ?? 'unknown'}, form ${state.form}, ${bytes.length} bytes`,
          ),
          ...('state' in value
            ? shownLines(JSON.stringify(value.state, undefined, 2))
            : [`0x${bytes.toString('hex')}`]),
        ]);
      } finally {
        await store.close();
      }
    },
  );
}

/** As JSON where it is that, as it is by default. */
function readable(bytes: Buffer): { state: unknown } | { bytes: string } {
  try {
    return { state: JSON.parse(bytes.toString()) as unknown };
  } catch {
    return { bytes: bytes.toString('base64') };
  }
}

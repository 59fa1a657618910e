import { encodeShardingKey, type MississippiOperator } from '@mississippi/core';
import type { ShardingKey } from '@mississippi/core/transport';
import type { Argv } from 'yargs';
import { NotFoundError } from '../errors.js';
import { parseKey } from '../keys/key-argument.js';
import { shown, shownLines } from '../output/plain-text.js';
import { openStore, storeOfInstance } from '../store/store.js';
import type { Commands, Context } from './context.js';
import { group, type AnyCommand } from './group.js';
import { numberOption } from './number-option.js';
import { withKey, withYes, type KeyArguments } from './options.js';
import { jsonOf } from './payload-argument.js';
import { DIGEST_ALONE, findKey, isDigest } from './find-key.js';
import { userHere } from './user-here.js';

export function stateCommand(commands: Commands): AnyCommand {
  return group('state', 'states in the store: show, edit, forget, restore', [
    showCommand(commands),
    editCommand(commands),
    forgetCommand(commands),
    restoreCommand(commands),
  ]);
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
          const what = `The store has no state of the key ${typed} in the instance '${found.instance}'.`;
          throw new NotFoundError(isDigest(typed, keyType) ? `${what} ${DIGEST_ALONE}` : what);
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

interface ChangeArguments extends KeyArguments {
  readonly stateVersion: number | undefined;
  readonly reason: string;
  readonly by: string | undefined;
  readonly yes: boolean;
}

function withChange<T>(argv: Argv<T>) {
  return withYes(withKey(argv))
    .option('reason', { type: 'string', demandOption: true, requiresArg: true, describe: 'why, for the audit trail' })
    .option('by', { type: 'string', requiresArg: true, describe: 'who, for the audit trail; default the user here' })
    .option(
      'state-version',
      numberOption(
        'state-version',
        'only if the state has this version, as show says, 0 for none; default the one that it has when you ask',
        { least: 0 },
      ),
    );
}

function editCommand(commands: Commands): AnyCommand {
  return commands.command<ChangeArguments & { state: string }>(
    'edit <key> <state>',
    'replace the stored state, in the turn of the key, with an entry in the audit trail',
    (argv) =>
      withChange(argv).positional('state', {
        type: 'string',
        demandOption: true,
        describe: 'JSON; - reads it from the standard input',
      }),
    async (args, context) => {
      const { terminal } = context;
      const state = jsonOf(args.state === '-' ? (await terminal.read()).toString() : args.state);
      await change(args, context, 'edited', 'replaces', (operator, key, how) => operator.editState(key, state, how));
    },
  );
}

function forgetCommand(commands: Commands): AnyCommand {
  return commands.command<ChangeArguments>(
    'forget <key>',
    'forget the stored state, so that init makes the next one, with an entry in the audit trail',
    withChange,
    async (args, context) =>
      change(args, context, 'forgotten', 'forgets', (operator, key, how) => operator.forgetState(key, how)),
  );
}

/** What is put back is stored as it was: nothing of it is shown, nor has to be typed. */
function restoreCommand(commands: Commands): AnyCommand {
  return commands.command<ChangeArguments & { id: string }>(
    'restore <key> <id>',
    'put back the state before an entry of the audit trail, with an entry of its own',
    (argv) =>
      withChange(argv).positional('id', {
        type: 'string',
        demandOption: true,
        describe: 'of the entry, as mississippi audit shows it',
      }),
    async (args, context) =>
      change(
        args,
        context,
        'restored',
        `puts back what was before the entry ${args.id}, and replaces`,
        (operator, key, how) => operator.restoreState(key, args.id, how),
      ),
  );
}

type How = { readonly version: number; readonly by: string; readonly reason: string };

async function change(
  args: ChangeArguments,
  { settings, withSession, confirm, printer }: Context,
  done: string,
  does: string,
  act: (operator: MississippiOperator, key: ShardingKey, how: How) => Promise<void>,
): Promise<void> {
  const by = args.by ?? userHere();
  const store = await storeOfInstance(await settings());
  await withSession(
    async (session) => {
      const key = await findKey(session, args);
      const version = args.stateVersion ?? (await session.operator.state(key))?.version ?? 0;
      const what = version === 0 ? 'It has none in the store.' : `It has version ${version}.`;
      await confirm(`This ${does} the stored state of the key ${args.key}. ${what}`, args.yes);
      await act(session.operator, key, { version, by, reason: args.reason });
      printer.answer({ [done]: true, key: args.key, replaced: version }, () => [
        `The state of the key ${shown(args.key)} was ${done}. Its data updater starts afresh with the next message.`,
      ]);
    },
    { store },
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

import type { Argv, CommandModule } from 'yargs';
import type { CommonArguments } from '../settings/settings.js';

/** Any command, whatever its own arguments are. */
export type AnyCommand = CommandModule<CommonArguments, any>; // eslint-disable-line typescript/no-explicit-any -- yargs has no type for "some arguments"

/** A word in front of commands. */
export function group(name: string, describe: string, members: readonly AnyCommand[]): AnyCommand {
  return {
    command: name,
    describe,
    builder: (argv: Argv<CommonArguments>) =>
      argv
        .command([...members] as CommandModule[])
        .demandCommand(1, `Say what to do: mississippi ${name} --help lists it.`),
    handler: () => undefined,
  };
}

import type { Argv, CommandModule } from 'yargs';
import { InterruptedError, UsageError } from '../errors.js';
import { shown } from '../output/plain-text.js';
import { Printer } from '../output/printer.js';
import { ProgressLine } from '../output/progress.js';
import type { Terminal } from '../output/terminal.js';
import type { Session, SessionOptions } from '../session/session.js';
import { settingsOf, type CommonArguments, type Settings } from '../settings/settings.js';
import { Hints } from './hints.js';

/** What a command works with. */
export class Context {
  readonly printer: Printer;
  readonly hints: Hints;
  readonly progress: ProgressLine;

  constructor(
    readonly terminal: Terminal,
    private readonly given: CommonArguments,
  ) {
    this.printer = new Printer(terminal, given.json);
    this.hints = new Hints(given);
    this.progress = new ProgressLine(terminal, given.json);
  }

  readonly settings = (): Promise<Settings> => settingsOf(this.given, this.terminal);

  /** Does something with a session, which is closed again. */
  readonly withSession = async <T>(
    work: (session: Session) => Promise<T>,
    options: SessionOptions = {},
  ): Promise<T> => {
    const settings = await this.settings();
    // Nest is loaded where it is needed: completion and help answer at once.
    const { Session } = await import('../session/session.js');
    const session = await Session.open(settings, options);
    try {
      return await work(session);
    } finally {
      this.progress.clear();
      await session.close();
    }
  };

  /**
   * Makes certain that somebody means what cannot be taken back.
   * @param add what says so on the command line
   * @throws {UsageError} where nobody can be asked
   * @throws {InterruptedError} when the answer is no
   */
  readonly confirm = async (what: string, yes: boolean, add = '--yes'): Promise<void> => {
    if (yes) return;
    const { terminal, printer } = this;
    if (!terminal.err.isTty || printer.json) throw new UsageError(`${what} Add ${add} if that is what you want.`);
    const answer = await terminal.ask(`${shown(what)} Type yes to go on: `);
    if (answer.trim() !== 'yes') throw new InterruptedError('Nothing was done.');
  };
}

/** What a command does; it returns the status to exit with, where that is not 0. */
export type Action<Own> = (args: Own & CommonArguments, context: Context) => Promise<number | void>;

/** Makes commands for one run of the program, and remembers how it ended. */
export class Commands {
  status = 0;

  constructor(private readonly terminal: Terminal) {}

  command<Own>(
    usage: string | readonly string[],
    describe: string,
    builder: (argv: Argv<CommonArguments>) => object,
    action: Action<Own>,
  ): CommandModule<CommonArguments, Own & CommonArguments> {
    return {
      command: usage,
      describe,
      // yargs infers types by the names as they are given, with their hyphens.
      builder: builder as (argv: Argv<CommonArguments>) => Argv<Own & CommonArguments>,
      handler: async (args) => {
        const given = args as unknown as Own & CommonArguments;
        this.status = (await action(given, new Context(this.terminal, given))) ?? 0;
      },
    };
  }
}

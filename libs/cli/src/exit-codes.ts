import { isNativeError } from 'node:util/types';
import { DeniedError, InterruptedError, NotFoundError, UnreachableError, UsageError } from './errors.js';

/** What a script may go by. They stay as they are: docs/cli.md has them. */
export const EXIT = {
  ok: 0,
  /** Something is wrong, or was refused. */
  wrong: 1,
  usage: 2,
  /** The broker, the store or the owner of a shard cannot be reached. */
  unreachable: 3,
  notFound: 4,
  /** User, password or a right. */
  denied: 5,
  /** Somebody else is at it: try again later. */
  busy: 6,
  /** It may have been done: look before it is asked for again. */
  unknown: 7,
  /** An error of this program. */
  bug: 70,
  interrupted: 130,
} as const;

/** By the codes of the library's errors, which are stable. */
const BY_CODE: Readonly<Record<string, number>> = {
  invalid_options: EXIT.usage,
  missing_sharding_key: EXIT.usage,
  invalid_sharding_key: EXIT.usage,
  invalid_message: EXIT.usage,
  payload_unencodable: EXIT.usage,
  signal_unencodable: EXIT.usage,
  rabbitmq_unreachable: EXIT.unreachable,
  store_unavailable: EXIT.unreachable,
  no_owner: EXIT.unreachable,
  nobody_answers: EXIT.unreachable,
  dead_letter_not_found: EXIT.notFound,
  unknown_process: EXIT.notFound,
  audit_entry_not_found: EXIT.notFound,
  rabbitmq_access: EXIT.denied,
  store_access: EXIT.denied,
  dead_letters_busy: EXIT.busy,
  signal_outcome_unknown: EXIT.unknown,
  // The request stays in the coordinator's queue for as long as it may be waited for, and the next one decides it.
  no_coordinator: EXIT.unknown,
  publish_timeout: EXIT.unknown,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof NotFoundError) return EXIT.notFound;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (error instanceof DeniedError) return EXIT.denied;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const code = codeOf(error);
  if (code === 'rabbitmq_setup') return isRefusal(error) ? EXIT.denied : EXIT.wrong;
  // What has not begun never will.
  if (code === 'operator_timeout' || code === 'signal_timeout')
    return Reflect.get(error as object, 'started') === false ? EXIT.unreachable : EXIT.unknown;
  if (code === undefined) return EXIT.bug;
  return BY_CODE[code] ?? EXIT.wrong;
}

/** The library's errors have one; those of the system have others, which say nothing to a script. */
export function codeOf(error: unknown): string | undefined {
  if (!isNativeError(error)) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && /^[a-z_]+$/.test(code) ? code : undefined;
}

/** The broker took neither user, password nor virtual host. */
function isRefusal(error: unknown): boolean {
  return isNativeError(error) && /refuses the connection|does not open the virtual host/.test(error.message);
}

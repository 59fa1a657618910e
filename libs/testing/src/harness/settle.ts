import { checkDuration, StandstillError } from '../clock/fake-clock.js';
import type { InstanceWorld, SharedWorld } from './instance-world.js';
import { NotSettledError, type Unfinished } from './not-settled.error.js';

/**
 * What {@link MississippiHarness.settled} is told.
 * @publicApi
 */
export interface SettleOptions {
  /** How long callbacks may take, all of a moment of fake time together. Real milliseconds, default 4,000: below the limit that Jest and Vitest set. */
  readonly within?: number;
  /** How much fake time may pass for what waits for it, such as backoffs. Milliseconds, default 0. */
  readonly advance?: number;
}

/** Waits until nothing is left to do. */
export async function settle(
  worlds: readonly InstanceWorld[],
  { clock, activity }: SharedWorld,
  { within = 4_000, advance = 0 }: SettleOptions,
): Promise<void> {
  checkDuration(advance);
  const active = (): boolean => worlds.some((world) => world.active());
  const end = clock.now() + advance;
  for (;;) {
    const rested = await activity.rest(active, within);
    const left = await unfinishedOf(worlds);
    if (left.length === 0) return;
    if (!rested) {
      throw new NotSettledError(
        left,
        `Not settled within ${within} ms`,
        'Let the callbacks end, give settled({ within }) more time, or let them time out by harness.advance(handlerTimeout + 1000).',
      );
    }
    const { next } = clock;
    if (next === undefined || next > end)
      throw new NotSettledError(left, 'Not settled', adviceFor(worlds, left, next, clock.now()));
    try {
      await clock.advance(next - clock.now(), () => activity.rest(active, within));
    } catch (error) {
      if (!(error instanceof StandstillError)) throw error;
      throw new NotSettledError(await unfinishedOf(worlds), 'Not settled', error.message);
    }
  }
}

async function unfinishedOf(worlds: readonly InstanceWorld[]): Promise<Unfinished[]> {
  const left = worlds.flatMap((world) => world.unfinished());
  if (left.length > 0) return left;
  return (await Promise.all(worlds.map((world) => world.relayed()))).flat();
}

function adviceFor(
  worlds: readonly InstanceWorld[],
  left: readonly Unfinished[],
  next: number | undefined,
  now: number,
): string {
  if (worlds.some(({ life }) => life.ended)) return 'The app has crashed: start it by harness.restart().';
  if (worlds.some(({ absence }) => absence !== undefined))
    return 'The broker is away: end that by harness.brokerBack().';
  const hangs = ({ key, callback }: Unfinished): boolean => worlds.some(({ faults }) => faults.hanging(key, callback));
  if (left.some(hangs)) return 'A callback hangs as it was told to: release it.';
  if (next === undefined) return 'Nothing is under way that would do it.';
  return `Time stands still, and the next timer is due in ${next - now} ms: let it pass by harness.advance(${next - now}), or by settled({ advance }).`;
}

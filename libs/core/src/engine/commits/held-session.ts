import type { Timer } from '../../clock/clock.interface.js';
import type { StoreLink } from './store-link.js';

/** After how long it is said who holds up all others, and then each time that it is twice as long. Milliseconds. */
const FIRST_TOLD = 1_000;

/** The store's only session, while a transaction of a handler's has it: nothing else is committed or loaded. */
export class HeldSession {
  private timer: Timer | undefined;
  private readonly since: number;

  constructor(
    private readonly link: StoreLink,
    private readonly giveBack: () => void,
    private readonly keyText: () => string,
  ) {
    this.since = link.clock.now();
    this.tellAfter(FIRST_TOLD);
  }

  /** Others may have it. May be called again. */
  release(): void {
    this.timer?.cancel();
    this.giveBack();
  }

  private tellAfter(wait: number): void {
    const { clock, log } = this.link;
    this.timer = clock.after(
      wait,
      () => {
        const held = clock.now() - this.since;
        log.warn(
          `The transaction of the key ${this.keyText()} has the store's only session since ${held} ms, and all other keys wait for it: let its handler end soon after context.transaction().`,
          { event: 'storeHeld', key: this.keyText(), held },
        );
        this.tellAfter(held);
      },
      true,
    );
  }
}

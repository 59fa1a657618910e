import type { Clock } from '@mississippi/core/transport';
import type { Members } from './members.js';
import type { Answer, Asked } from './operator-mail.js';
import type { PauseKeeper } from './pause-keeper.js';
import { withPaused, type TypePauses } from './pauses.js';
import type { CoordinatorBroker, Mail } from './ports.js';

/** For how long at most a request stands. Milliseconds. */
const LONGEST = 60_000;

/** A pause or a resumption of a type, until all know it. */
interface Request {
  readonly asked: Extract<Asked, { readonly call: 'type' }>;
  readonly mail: Mail;
  readonly until: number;
  /** What it has led to. */
  decided: TypePauses | undefined;
}

/**
 * What operators ask of all processes, or of one of them by its name. A request is settled when it was answered: until then the next
 * coordinator gets it, for which it is decided already, or is again.
 */
export class OperatorDesk {
  private readonly requests: Request[] = [];

  constructor(
    private readonly members: Members,
    private readonly keeper: PauseKeeper,
    private readonly broker: Pick<CoordinatorBroker, 'answer' | 'forward'>,
    private readonly clock: Clock,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** All who take part have reported, as far as they do, and what the queue keeps is known. */
  requested(asked: Asked, mail: Mail): void {
    if (asked.call === 'types') this.answer(mail, { kind: 'done', types: this.keeper.pauses.types });
    else if (asked.call === 'intake') this.forward(asked, mail);
    else this.requests.push({ asked, mail, until: this.clock.now() + LONGEST, decided: undefined });
    this.look();
  }

  /** Something may have changed: one request is decided after the other, and answered when all know. */
  look(): void {
    let next = this.undecided;
    while (next !== undefined && this.decide(next)) next = this.undecided;
    for (const request of this.requests.slice()) this.conclude(request);
  }

  private get undecided(): Request | undefined {
    return this.requests.find(({ decided }) => decided === undefined);
  }

  /** Returns whether it is decided, or refused; otherwise it is when the queue brings what was written. */
  private decide(request: Request): boolean {
    const { keeper, members } = this;
    const { type, paused, by } = request.asked;
    const guarded = members.reports.find((report) => report.guarded === true && report.id !== by);
    if (guarded !== undefined) {
      this.end(request, { kind: 'guarded', process: guarded.name });
      return true;
    }
    const wanted = withPaused(keeper.pauses, type, paused);
    if (wanted !== keeper.pauses) {
      keeper.decide(wanted);
      return false;
    }
    request.decided = wanted;
    this.broker.answer(request.mail, { kind: 'begun' }).catch((error: unknown) => this.failed(error));
    return true;
  }

  private conclude(request: Request): void {
    const { decided, until } = request;
    const isKnown = decided !== undefined && this.keeper.isSafe(decided) && this.members.know(decided.version);
    if (isKnown) this.end(request, { kind: 'done' });
    else if (this.clock.now() >= until) this.end(request, undefined);
  }

  private end(request: Request, answer: Answer | undefined): void {
    this.requests.splice(this.requests.indexOf(request), 1);
    if (answer === undefined) request.mail.settle();
    else this.answer(request.mail, answer);
  }

  /** The member answers. */
  private forward({ process, paused, by }: Extract<Asked, { readonly call: 'intake' }>, mail: Mail): void {
    const { address, question = '' } = mail;
    const member = this.members.named(process);
    if (member === undefined) this.answer(mail, { kind: 'unknown' });
    else if (member.guarded && member.id !== by) this.answer(mail, { kind: 'guarded', process });
    else {
      const { broker } = this;
      const forwarded = broker.forward(member.address, { paused, address: address!, question });
      const told = forwarded.then(() => broker.answer(mail, { kind: 'begun' }));
      told.catch((error: unknown) => this.failed(error)).finally(() => mail.settle());
    }
  }

  private answer(mail: Mail, answer: Answer): void {
    const told = this.broker.answer(mail, answer);
    told.catch((error: unknown) => this.failed(error)).finally(() => mail.settle());
  }
}

import type { Answer, Asked, IntakeRequest } from './operator-mail.js';
import type { TypePauses } from './pauses.js';
import type { Order, Report } from './reports.js';

/** Something that came to the coordinator. The broker keeps it for the next coordinator until it is settled. */
export interface Mail {
  /** Where an answer reaches the sender; `undefined` where he waits for none. */
  readonly address: string | undefined;
  /** Which question it is; `undefined` where it is none. */
  readonly question: string | undefined;
  /** Whether another coordinator may have had it before. */
  readonly again: boolean;
  settle(): void;
}

/** What comes to the coordinator. */
export interface Inbox {
  reported(report: Report, mail: Mail): void;
  /** Somebody wants to know who takes part. */
  asked(mail: Mail): void;
  /** An operator asks for something. */
  requested(asked: Asked, mail: Mail): void;
  /** What the queue keeps, until it is settled. */
  kept(pauses: TypePauses, mail: Mail): void;
  /** What was in the queue before a mark is here. */
  marked(id: string, mail: Mail): void;
}

/** What the coordinator needs of the broker. */
export interface CoordinatorBroker {
  /** How many consumers a shard has; `undefined` where it cannot be looked at. Never rejects. */
  consumers(shard: number): Promise<number | undefined>;
  /** How many processes consume; `undefined` where the broker cannot tell. */
  members(): Promise<number | undefined>;
  /** Whether the process that wrote from an address lives. Rejects where nobody knows. */
  isAlive(address: string): Promise<boolean>;
  order(address: string, order: Order): Promise<void>;
  /** Answers who asked. */
  tell(mail: Mail, reports: readonly Report[]): Promise<void>;
  answer(mail: Pick<Mail, 'address' | 'question'>, answer: Answer): Promise<void>;
  /** Brings a member what an operator asks of it. */
  forward(address: string, request: IntakeRequest): Promise<void>;
  /** Writes into the coordinator's queue what it is to keep. Resolves when that is safe there. */
  keep(pauses: TypePauses): Promise<void>;
  /** Writes a mark behind all that is in the coordinator's queue. */
  mark(id: string): Promise<void>;
}

/** What a member needs of the broker. */
export interface MemberBroker extends Pick<CoordinatorBroker, 'consumers' | 'members'> {
  /** Whether anybody coordinates. */
  isCoordinated(): Promise<boolean>;
  /**
   * Waits to be coordinator: it is whoever gets what is reported.
   * @param ended it will not be, or is it no more
   */
  campaign(inbox: Inbox, ended: () => void): Promise<{ close(): Promise<void> }>;
  report(report: Report): Promise<void>;
  /** Whether nothing can be reported at present. */
  readonly blocked: boolean;
}

/** The shards of a member. */
export interface MemberShards {
  readonly connected: boolean;
  readonly owned: readonly number[];
  readonly leaving: readonly number[];
  readonly unable: readonly number[];
  readonly verified: readonly number[];
  /** Most that it may own now. */
  readonly most: number;
  /** Whether an operator has it claim nothing. */
  readonly paused?: boolean;
  /** Whether it takes no actions from operators of other processes. */
  readonly guarded?: boolean;
  /**
   * Tries to get some. Resolves when each was tried. Never rejects.
   * @param verified those that only one process can consume, as is known
   */
  claim(shards: readonly number[], verified: readonly number[]): Promise<void>;
  /** Hands over so many in the background: of those that are wanted, then those that it got last. */
  shed(count: number, wanted: readonly number[]): void;
}

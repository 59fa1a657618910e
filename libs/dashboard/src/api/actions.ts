import type { DeadLetterFilter, MississippiOperator } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import type { ActionInfo } from '../wire.js';
import { keyAt } from './key-address.js';
import { changeIn, LARGEST_STATE_BODY, lockOf, stateIn } from './stored-state.js';
import { filterOf, type Parameters, textIn } from './parameters.js';

type Told = (progress: object) => void;

/** An action: how the page offers it, and what is done. */
interface Action extends Omit<ActionInfo, 'name' | 'signed'> {
  readonly signed?: boolean;
  /** Bytes; default as of all actions. */
  readonly largestBody?: number;
  run(operator: MississippiOperator, parameters: Parameters, told: Told): Promise<unknown>;
}

const NOTHING_LOST = 'Nothing is lost, and the order stays.';
const IN_TURN =
  'It is done in the turn of the key, by its owner; what the key has in memory ends, with terminate(). No message is lost or handled again. The audit trail keeps the state that is there now, with your name and reason, and can restore it. If the state is no longer the one that the page showed, nothing is done. If this is interrupted, it is done wholly or not at all.';
const TO_DEAD_LETTERS = 'It can be replayed from there, but then comes behind what the key has handled meanwhile.';

/** All that an operator does. What is added here is offered by the page, confirmed with its words, and done: nothing else is to be changed. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  resume: {
    target: 'key',
    label: 'Resume',
    says: `The parked messages are handled in order, the first one first, with a fresh count of attempts; then what has come meanwhile. If the first one still fails, the key may be parked again. ${NOTHING_LOST}`,
    final: false,
    when: 'held',
    run: (operator, { key }) => operator.resume(keyAt(key)),
  },
  retry: {
    target: 'key',
    label: 'Retry now',
    says: `The first message is tried at once instead of at its next time; where the page shows its id, no other one in its place. A parked key is parked again behind it, whatever becomes of it. ${NOTHING_LOST}`,
    final: false,
    when: 'waiting',
    run: (operator, { key, messageId }) => operator.retry(keyAt(key), messageIdOf(messageId)),
  },
  pause: {
    target: 'key',
    label: 'Pause',
    says: `The key is parked: an attempt that runs may end, and everything from the next message on waits until somebody resumes it. Other keys go on. ${NOTHING_LOST}`,
    final: false,
    when: 'notHeld',
    run: (operator, { key }) => operator.pause(keyAt(key)),
  },
  drop: {
    target: 'key',
    label: 'Drop the first message',
    says: `The first message is given up: it goes to the dead letters, and the key goes on behind it, or stays parked. Where the page shows its id, no other one is dropped in its place. ${TO_DEAD_LETTERS}`,
    final: true,
    when: 'waiting',
    run: (operator, { key, messageId }) => operator.drop(keyAt(key), messageIdOf(messageId)),
  },
  dropAll: {
    target: 'key',
    label: 'Drop all parked messages',
    says: `Every message of the key that is parked at this moment goes to the dead letters, in order. The key stays parked until it is resumed. If this is interrupted, the rest stays parked. ${TO_DEAD_LETTERS}`,
    final: true,
    when: 'held',
    run: async (operator, { key, messageId }, progress) => ({
      dropped: await operator.dropAll(keyAt(key), { ...messageIdOf(messageId), progress }),
    }),
  },
  deactivate: {
    target: 'key',
    label: 'Deactivate',
    says: 'When its turn comes, what the key has in memory ends, with terminate(). The next message starts it afresh: with its stored state, or without a store with the state that init gives it. Without a store the state in memory is gone.',
    final: true,
    when: 'always',
    run: (operator, { key }) => operator.deactivate(keyAt(key)),
  },
  editState: {
    target: 'state',
    label: 'Replace the stored state',
    says: `The stored state is replaced by what is in the editor, and the next message starts with that. ${IN_TURN}`,
    final: false,
    signed: true,
    when: 'edited',
    largestBody: LARGEST_STATE_BODY,
    run: editState,
  },
  forgetState: {
    target: 'state',
    label: 'Forget the stored state',
    says: `The stored state is deleted, and the next message starts with the one that init makes. ${IN_TURN}`,
    final: false,
    signed: true,
    when: 'stored',
    run: (operator, { key, ...change }) => operator.forgetState(keyAt(key), changeIn(change)),
  },
  restoreState: {
    target: 'auditEntry',
    label: 'Restore',
    says: `The key gets back the state that it had before this entry, the whole of it, whatever redact lets you see; where it had none then, its state is forgotten. The next message starts with that. ${IN_TURN}`,
    final: false,
    signed: true,
    when: 'always',
    run: (operator, { key, id, ...change }) => operator.restoreState(keyAt(key), textIn('id', id), changeIn(change)),
  },
  pauseIntake: {
    target: 'process',
    label: 'Pause its intake',
    says: `The process hands its shards over to the others, and claims none until its intake is resumed or it is started again. What runs may end. Where it is the only process, messages wait in the broker. ${NOTHING_LOST}`,
    final: false,
    when: 'open',
    run: (operator, { process }) => operator.pauseIntake(textIn('process', process)),
  },
  resumeIntake: {
    target: 'process',
    label: 'Resume its intake',
    says: `The process claims its share of the shards again, and the others hand them over. ${NOTHING_LOST}`,
    final: false,
    when: 'paused',
    run: (operator, { process }) => operator.resumeIntake(textIn('process', process)),
  },
  pauseType: {
    target: 'type',
    label: 'Pause messages of this type',
    says: `In all processes, and in those that start later, each key is parked at its first message of this type, with all that follows, until the type is resumed. What runs may end. Where a side queue is full, its whole shard waits. ${NOTHING_LOST}`,
    final: false,
    when: 'open',
    run: (operator, { type }) => operator.pauseType(textIn('type', type)),
  },
  resumeType: {
    target: 'type',
    label: 'Resume messages of this type',
    says: `Keys that are parked at a message of this type go on, in order; keys that are parked for other reasons stay so. ${NOTHING_LOST}`,
    final: false,
    when: 'paused',
    run: (operator, { type }) => operator.resumeType(textIn('type', type)),
  },
  replay: {
    target: 'letter',
    label: 'Replay',
    says: 'The message is published again, to the end of the queue of its key: it is handled after what waits there. It leaves the dead letters once it is safe in the queue. If this is interrupted, it may be in both.',
    final: false,
    when: 'always',
    run: (operator, { id }, progress) => operator.replay({ id: textIn('id', id) }, { progress }),
  },
  dropDeadLetter: {
    target: 'letter',
    label: 'Delete',
    says: 'The dead letter is deleted for good. Nobody can bring it back.',
    final: true,
    when: 'always',
    run: (operator, { id }, progress) => operator.dropDeadLetters({ id: textIn('id', id) }, { progress }),
  },
  replayAll: {
    target: 'letters',
    label: 'Replay all of these',
    says: 'All dead letters that the filter lets through are published again, those that the list does not show too: each to the end of the queue of its key, in their order, 500 a second. If this is interrupted, the rest stays, and one may be in both places.',
    final: false,
    when: 'always',
    run: (operator, parameters, progress) => operator.replay(filterOf(parameters), { progress }),
  },
  dropDeadLetters: {
    target: 'letters',
    label: 'Delete all of these',
    says: 'All dead letters that the filter lets through are deleted for good, those that the list does not show too. Nobody can bring them back.',
    final: true,
    when: 'always',
    run: (operator, parameters, progress) =>
      operator.dropDeadLetters(filterOf(parameters) satisfies DeadLetterFilter, { progress }),
  },
};

export const ACTION_LIST: readonly ActionInfo[] = Object.entries(ACTIONS).map(
  ([name, { target, label, says, final, signed = false, when }]) => ({
    name,
    target,
    label,
    says,
    final,
    signed,
    when,
  }),
);

/** Looks first whether what the page showed was all of it: what redact hides is not to be replaced by what it shows. */
async function editState(operator: MississippiOperator, { key, text, ...change }: Parameters): Promise<void> {
  const [address, state, how] = [keyAt(key), stateIn(text), changeIn(change)];
  const found = await operator.state(address);
  const locked = found && lockOf(found);
  if (locked !== undefined) throw new Refusal(409, 'state_locked', locked);
  await operator.editState(address, state, how);
}

/** @throws {Refusal} */
export function actionCalled(name: string): Action {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new Refusal(404, 'action_unknown', 'There is no such action.');
  return action;
}

/** A message that came without an id cannot be named. */
function messageIdOf(value: unknown): { messageId?: string } {
  return value === undefined || value === null ? {} : { messageId: textIn('messageId', value) };
}

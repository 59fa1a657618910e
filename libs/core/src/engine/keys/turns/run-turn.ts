import type { Step } from '../next-step.js';
import { attemptTurn } from './attempt.turn.js';
import { continueTurn } from './continue.turn.js';
import { signalTurn } from './signal.turn.js';
import { terminateTurn } from './terminate.turn.js';
import type { TurnKey } from './turn-key.js';

/** Begins the turn of a step that runs a callback. */
export function runTurn(step: Step, key: TurnKey): void {
  switch (step) {
    case 'attempt':
      attemptTurn(key);
      break;
    case 'signal':
      signalTurn(key);
      break;
    case 'continuation':
      continueTurn(key);
      break;
    case 'termination':
      terminateTurn(key);
      break;
    default:
      throw new TypeError(`the step '${step}' takes no turn`);
  }
}

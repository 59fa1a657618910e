import type { MississippiOperator, ShardingKey } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import type { WireAudit, WireKeys, WireLetterDetails, WireLetters, WireState } from '../wire.js';
import { addressOf, keyAt } from './key-address.js';
import { countIn, filterOf, type Parameters, textIn } from './parameters.js';
import { wireAuditEntry, wireState } from './stored-state.js';
import { wireKey, wireLetter, wireLetterDetails } from './wire-values.js';

/** Rows of a list, as many as the operator gives. */
const MOST_ROWS = 1_000;
/** Of an audit trail, each with the state before. */
const MOST_ENTRIES = 100;

type Look = (operator: MississippiOperator, parameters: Parameters) => Promise<unknown>;

/** What is looked at once, when somebody asks. */
export const LOOKS: Readonly<Record<string, Look>> = {
  async keys(operator, { troubled, shard, limit }): Promise<WireKeys> {
    const { keys, more, unanswered } = await operator.keys({
      troubled: troubled === 'true',
      limit: countIn('limit', limit, 100, MOST_ROWS),
      ...(shard !== undefined && { shard: countIn('shard', shard, 0, 65_535) }),
    });
    return { keys: keys.map(wireKey), more, unanswered };
  },

  /** The address of a key that somebody typed. */
  async find(operator, { text }) {
    const found = await findKey(operator, textIn('text', text));
    return { key: addressOf(found) };
  },

  async types(operator) {
    return { paused: await operator.pausedTypes() };
  },

  async state(operator, { key }): Promise<WireState> {
    return wireState(await operator.state(keyAt(key)));
  },

  async audit(operator, { key, limit }): Promise<WireAudit> {
    const { entries, more } = await operator.audit({
      key: keyAt(key),
      limit: countIn('limit', limit, 20, MOST_ENTRIES),
    });
    return { entries: entries.map(wireAuditEntry), more };
  },

  async letters(operator, parameters): Promise<WireLetters> {
    const limit = countIn('limit', parameters['limit'], 100, MOST_ROWS);
    const { letters, more, total } = await operator.deadLetters({ ...filterOf(parameters), limit });
    return { at: Date.now(), letters: letters.map(wireLetter), more, total };
  },

  async letter(operator, { id }): Promise<WireLetterDetails> {
    return wireLetterDetails(await operator.deadLetter(textIn('id', id)));
  },
};

/**
 * Digits may be a number or a text: the one that lives is meant, and where neither does the text. Quotes are how texts
 * are shown.
 */
async function findKey(operator: MississippiOperator, typed: string): Promise<ShardingKey> {
  const text = /^".+"$/s.test(typed) ? typed.slice(1, -1) : typed;
  const number = Number(typed);
  if (!/^-?\d{1,15}$/.test(typed) || (await operator.key(text)) !== undefined) return text;
  return (await operator.key(number)) === undefined ? text : number;
}

/** @throws {Refusal} */
export function lookCalled(name: string): Look {
  const look = Object.hasOwn(LOOKS, name) ? LOOKS[name] : undefined;
  if (look === undefined) throw new Refusal(404, 'look_unknown', 'There is no such look.');
  return look;
}

import { isFromOutside, isWritten, passedOn, type FoldFault, type FoldPlan, type FoldResult } from './fold-run.js';

const FAULTS: Readonly<Record<FoldFault, number>> = {
  lostAnswer: 60,
  unsent: 60,
  busy: 60,
  refused: 40,
  crash: 12,
  lostShards: 12,
  frozen: 15,
  restored: 500, // Of those that are frozen.
  throws: 40,
  discards: 40,
  twice: 150,
  signals: 200,
  parks: 20,
  resumes: 20,
  drops: 10,
};

/** A run with everything in it, or as much of it as an embedded transport can have. */
export function foldPlan(
  seed: number,
  own: Partial<FoldPlan> = {},
  faults: Partial<FoldPlan['faults']> = {},
): FoldPlan {
  const processes = own.embedded === true ? 1 : 2;
  return { seed, keys: 12, messages: 300, processes, patience: 20_000, faults: { ...FAULTS, ...faults }, ...own };
}

/** What is wrong with the outcome; nothing, if all is as if each message had been handled once, in order. */
export function faultsOf(result: FoldResult, { keys }: Pick<FoldPlan, 'keys'>): string[] {
  const { states, published, deadLetters, left } = result;
  const faults: string[] = [];
  for (const [key, ids] of states) {
    const counts = new Map<string, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) {
      if (count > 1) faults.push(`${key} has ${id} ${count} times`);
      if (deadLetters.has(id)) faults.push(`${key} has ${id}, which is a dead letter`);
      if (id.endsWith('failed')) faults.push(`${key} kept ${id}`);
    }
    const own = ids.filter(isFromOutside);
    const expected = (published.get(key) ?? []).filter((id) => !deadLetters.has(id));
    const missing = expected.filter((id) => !counts.has(id));
    if (missing.length > 0) faults.push(`${key} misses ${missing.join()}`);
    else if (own.join() !== expected.join()) faults.push(`${key} has the order ${own.join()}`);
    for (const [source, numbers] of bySource(ids)) {
      if (numbers.some((number, index) => index > 0 && number < numbers[index - 1]!)) {
        faults.push(`${key} got from ${source} in the order ${numbers.join()}`);
      }
    }
  }
  if (left > 0) faults.push(`${left} rows are left in the outbox`);
  return [...faults, ...faultsOfPassing(result, keys), ...faultsOfSignals(result), ...faultsOfWrites(result)];
}

/** What was passed on arrived, and nothing else. */
function faultsOfPassing({ states, deadLetters }: FoldResult, keys: number): string[] {
  const faults: string[] = [];
  const expected = new Set<string>();
  for (const [key, ids] of states) {
    for (const id of ids.filter(isFromOutside)) {
      const passed = passedOn(id, key, keys);
      if (passed === undefined) continue;
      expected.add(passed.id);
      if (!states.get(passed.to)!.includes(passed.id) && !deadLetters.has(passed.id))
        faults.push(`${passed.id} is missing`);
    }
  }
  for (const id of [...states.values(), [...deadLetters]].flat()) {
    if (id.includes('>') && !expected.has(id)) faults.push(`${id} was passed on by nobody`);
  }
  return faults;
}

function faultsOfSignals({ states, answered, undone }: FoldResult): string[] {
  const all = new Set([...states.values()].flat());
  return [
    ...answered.filter((id) => !all.has(id)).map((id) => `${id} was answered and is not kept`),
    ...undone.filter((id) => all.has(id)).map((id) => `${id} was undone and is kept`),
  ];
}

function faultsOfWrites({ states, written }: FoldResult): string[] {
  const faults = [...written]
    .filter(([, count]) => count !== '1')
    .map(([id, count]) => `${id} was written ${count} times`);
  for (const id of [...states.values()].flat()) {
    if (!id.includes('!') && isWritten(id) && !written.has(id)) faults.push(`${id} was not written`);
  }
  return faults;
}

/** The numbers of what other keys passed on. */
function bySource(ids: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const id of ids) {
    const match = /^(k\d+)-(\d+)>/.exec(id);
    if (match !== null) groups.set(match[1]!, [...(groups.get(match[1]!) ?? []), Number(match[2])]);
  }
  return groups;
}

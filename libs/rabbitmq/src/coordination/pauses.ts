/**
 * The types of messages that are paused. One version follows the other: of two the one with the higher number counts, wherever it comes
 * from. When the last type is resumed the number stays, so that nobody who was away brings an older one back.
 */
export interface TypePauses {
  readonly version: number;
  readonly types: readonly string[];
}

export const NOTHING_PAUSED: TypePauses = { version: 0, types: [] };

/** What follows when a type is paused or resumed; the same where that changes nothing. */
export function withPaused(before: TypePauses, type: string, paused: boolean): TypePauses {
  if (before.types.includes(type) === paused) return before;
  const others = before.types.filter((one) => one !== type);
  return { version: before.version + 1, types: paused ? [...others, type] : others };
}

export function encodePauses(pauses: TypePauses): Buffer {
  return Buffer.from(JSON.stringify(pauses));
}

/** @throws when it is none */
export function decodePauses(body: Uint8Array): TypePauses {
  return checkedPauses(JSON.parse(Buffer.from(body).toString()));
}

/** @throws {TypeError} when it is none */
export function checkedPauses(value: unknown): TypePauses {
  const { version, types } = (value ?? {}) as Partial<TypePauses>;
  const isTexts = Array.isArray(types) && types.every((type) => typeof type === 'string');
  if (!Number.isSafeInteger(version) || version! < 0 || !isTexts) throw new TypeError('no list of paused types');
  return { version: version!, types };
}

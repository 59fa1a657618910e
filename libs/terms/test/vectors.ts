import { readFileSync } from 'node:fs';

/** One term as Erlang/OTP 25 wrote and hashed it; `otp26` differs from `otp25` in the spelling of atoms. */
export interface Vector {
  readonly kind: string;
  readonly term: string;
  readonly otp25: Uint8Array;
  readonly otp26: Uint8Array;
  readonly hashes: ReadonlyMap<number, number>;
}

interface RawVector {
  readonly kind: string;
  readonly term: string;
  readonly etf_base64: string;
  readonly etf_otp26_base64?: string;
  readonly phash2_128: number;
  readonly phash2_1000003: number;
  readonly phash2_2pow27: number;
  readonly phash2_2pow32: number;
}

const file = new URL('./vectors/erlang-terms.json', import.meta.url);
const raw = JSON.parse(readFileSync(file, 'utf8')) as readonly RawVector[];

export const vectors: readonly Vector[] = raw.map((vector) => ({
  kind: vector.kind,
  term: vector.term,
  otp25: Uint8Array.from(Buffer.from(vector.etf_base64, 'base64')),
  otp26: Uint8Array.from(Buffer.from(vector.etf_otp26_base64 ?? vector.etf_base64, 'base64')),
  hashes: new Map([
    [128, vector.phash2_128],
    [1_000_003, vector.phash2_1000003],
    [2 ** 27, vector.phash2_2pow27],
    [2 ** 32, vector.phash2_2pow32],
  ]),
}));

/** Room for the longest vector, a list of 70,000 elements, and for the six bit strings. */
export const vectorLimits = { maxBytes: 200_000, bitstrings: true };

/** A bit string is somewhere in this vector. */
export function holdsBitstring(vector: Vector): boolean {
  return /<<[\d,]*\d:\d>>/.test(vector.term);
}

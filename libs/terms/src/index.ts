export { canonicalize } from './canonical.js';
export { decodeTerm } from './decode.js';
export { encodeTerm } from './encode.js';
export { TermDecodeError, TermEncodeError, TermError, TermTooLargeError, type TermErrorCode } from './errors.js';
export { inspectTerm } from './inspect.js';
export { DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH, type TermLimits } from './limits.js';
export { phash2, phash2Encoded } from './phash2.js';
export { ErlangAtom, ErlangBitstring, ErlangFloat, ErlangImproperList, ErlangTuple, type Term } from './term.js';

import type { WireKey } from '../../src/wire.js';
import { TROUBLES } from './format.js';

/** What keeps a key from going on, in words; the colour says nothing that they do not. */
export function TroubleBadge({ trouble }: { trouble: WireKey['trouble'] }) {
  if (trouble === undefined) return <span class="badge fine">Moves</span>;
  const grave = trouble === 'hanging' || trouble === 'parked' || trouble === 'sideQueueFull' || trouble === 'storeAway';
  return <span class={`badge ${grave ? 'bad' : 'warn'}`}>{TROUBLES[trouble].label}</span>;
}

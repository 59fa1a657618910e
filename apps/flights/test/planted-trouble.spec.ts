import type { Flight } from '../src/flight.js';
import { PlantedTrouble } from '../src/planted-trouble.js';

const flight = (row: number, origin: string): Flight => ({
  row,
  origin,
  date: '2001/01/01 00:00',
  delay: 0,
  distance: 1,
  destination: 'DFW',
});

it('strikes the third flight of one airport, that one alone and each time', async () => {
  const trouble = new PlantedTrouble({ poison: 'ORD', hang: undefined, sideQueue: undefined });
  await trouble.meet(flight(1, 'ORD'), 0);
  await trouble.meet(flight(2, 'ORD'), 1);
  await trouble.meet(flight(3, 'LAX'), 2);
  for (let attempt = 0; attempt < 2; attempt++)
    await expect(trouble.meet(flight(4, 'ORD'), 2)).rejects.toThrow('flight 4 to DFW is poisoned');
  // It was dropped: the next one is the third that is counted.
  await trouble.meet(flight(5, 'ORD'), 2);
});

it('never ends a flight that hangs', async () => {
  const trouble = new PlantedTrouble({ poison: undefined, hang: 'ORD', sideQueue: undefined });
  let ended = false;
  void trouble.meet(flight(4, 'ORD'), 2).then(() => (ended = true));
  await trouble.meet(flight(5, 'ORD'), 2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
});

import { Homes } from '../../src/coordination/homes.js';

test('whoever starts is to have what the one had that ended first', () => {
  const homes = new Homes();
  homes.left('a', [1, 2], 0);
  homes.left('b', [3], 10);
  homes.joined('c', 20);
  homes.joined('d', 30);
  homes.joined('e', 40);
  expect([...homes.of('c', 50)]).toEqual([1, 2]);
  expect([...homes.of('d', 50)]).toEqual([3]);
  expect(homes.of('e', 50).size).toBe(0);
});

test('whose end is found out when the other has started has its place taken all the same', () => {
  const homes = new Homes();
  homes.joined('late', 0);
  homes.left('a', [1], 4_999);
  expect([...homes.of('late', 5_000)]).toEqual([1]);
  homes.joined('later', 10_000);
  homes.left('b', [2], 15_000);
  expect(homes.of('later', 15_000).size).toBe(0);
});

test('what nobody asks for is kept ten minutes', () => {
  const homes = new Homes();
  homes.left('a', [1], 0);
  homes.left('b', [2], 1);
  homes.joined('c', 600_000);
  expect([...homes.of('c', 600_000)]).toEqual([2]);
});

test('nobody waits for what it was to have longer than a minute, nor has it when it has ended', () => {
  const homes = new Homes();
  homes.left('a', [1], 0);
  homes.joined('b', 1);
  expect([...homes.of('b', 60_000)]).toEqual([1]);
  expect(homes.of('b', 60_001).size).toBe(0);
  homes.left('c', [2], 70_000);
  homes.joined('d', 70_001);
  homes.left('d', [], 70_002);
  expect(homes.of('d', 70_003).size).toBe(0);
});

test('who had nothing leaves nothing', () => {
  const homes = new Homes();
  homes.left('a', [], 0);
  homes.left('b', [1], 1);
  homes.joined('c', 2);
  expect([...homes.of('c', 3)]).toEqual([1]);
});

test('who started together with one that has ended is not in its place', () => {
  const homes = new Homes();
  for (const id of ['a', 'b', 'c']) homes.joined(id, 0);
  homes.left('a', [1, 2], 3_000);
  for (const id of ['b', 'c']) expect(homes.of(id, 3_000).size).toBe(0);
  homes.joined('d', 4_000);
  expect([...homes.of('d', 4_000)]).toEqual([1, 2]);
});

test('who ends before it had all that it was to have leaves it to the next', () => {
  const homes = new Homes();
  homes.left('a', [1, 2, 3], 0);
  homes.joined('nothing', 1);
  homes.left('nothing', [], 2);
  homes.joined('some', 3);
  homes.left('some', [3], 4);
  homes.joined('last', 5);
  expect([...homes.of('last', 6)]).toEqual([1, 2, 3]);
});

test('what another coordinator has said is so', () => {
  const homes = new Homes();
  homes.told('a', [1, 2], 0);
  expect([...homes.of('a', 59_999)]).toEqual([1, 2]);
  expect(homes.of('a', 60_000).size).toBe(0);
});

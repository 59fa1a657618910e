const UNITS: readonly [milliseconds: number, name: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** A time in its two largest units: `2h 13m`, `4.2s`. */
export function duration(milliseconds: number | undefined): string | undefined {
  if (milliseconds === undefined) return undefined;
  if (milliseconds < 10_000) return `${(milliseconds / 1_000).toFixed(1)}s`;
  const index = UNITS.findIndex(([size]) => milliseconds >= size);
  const [size, name] = UNITS[index]!;
  const whole = Math.floor(milliseconds / size);
  const next = UNITS[index + 1];
  if (next === undefined) return `${whole}${name}`;
  return `${whole}${name} ${Math.floor((milliseconds % size) / next[0])}${next[1]}`;
}

/** `1,234`. */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** `1 message`, `1,234 messages`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** `1.2 kB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The first few of many numbers. */
export function firstOf(numbers: readonly number[], most = 8): string {
  const first = numbers.slice(0, most).join(', ');
  return numbers.length > most ? `${first} and ${numbers.length - most} more` : first;
}

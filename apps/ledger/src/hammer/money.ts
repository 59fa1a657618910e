/** Cents as people write them, such as 1,234.50. */
export function inMoney(cents: number): string {
  return (cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** A whole number, with separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

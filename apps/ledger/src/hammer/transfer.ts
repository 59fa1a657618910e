/** A transfer as it is asked for. */
export interface Transfer {
  id: string;
  from: string;
  to: string;
  cents: number;
}

/** The largest amount that is made up. Cents. */
const MOST = 8_000;

/** Transfers between accounts, as random as their source. */
export function makeUp(count: number, accounts: readonly string[], random: () => number): Transfer[] {
  const one = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: count }, (_, index) => {
    const from = one(accounts);
    const to = one(accounts.filter((account) => account !== from));
    return { id: `t${index + 1}`, from, to, cents: 1 + Math.floor(random() * MOST) };
  });
}

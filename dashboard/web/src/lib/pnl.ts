// What a bot earned, split so that each part can be traced to fills, and beside doing nothing.
import { parse, round, SCALE, text } from './dec.ts';
import type { Book, EquityPoint } from '../gen/messages.ts';

const ONE = 10n ** BigInt(SCALE);

export interface Split { total: string; gross: string; fees: string; unrealised: string; otherFees: { asset: string; paid: string }[] }

/** total = gross - fees + unrealised, exactly; fees in other assets stand apart, as they are no part of it. */
export function split(book: Pick<Book, 'realised' | 'fees'>, unrealised: string | undefined, quote: string): Split {
  const paid = Object.entries(book.fees ?? {}).map(([asset, value]) => ({ asset, paid: String(value) }));
  const fees = parse(paid.find((fee) => fee.asset === quote)?.paid) ?? 0n;
  const net = parse(book.realised) ?? 0n;
  const open = parse(unrealised) ?? 0n;
  return { total: text(net + open), gross: text(net + fees), fees: text(fees), unrealised: text(open), otherFees: paid.filter((fee) => fee.asset !== quote) };
}

/** The price at which all of it would come to nothing: -cash / position; null without a position. */
export function breakEven(book: Pick<Book, 'position' | 'cash'>): string | null {
  const position = parse(book.position);
  const cash = parse(book.cash);
  if (!position || cash === null) return null;
  const price = (-cash * ONE) / position;
  return price > 0n ? text(round(price, 8)) : null;
}

/** Profit of `budget` put into the base at the first price known and held; null when one of them is not known. */
export function holding(points: readonly EquityPoint[], budget: string | undefined, price: string | undefined): string | null {
  const first = parse(points.find((point) => point.price !== undefined)?.price);
  const [money, now] = [parse(budget), parse(price)];
  if (!first || money === null || now === null) return null;
  return text(round((money * now) / first - money, 8));
}

// Exact decimals as the wire sends them: text. Sums go through BigInt at scale 18, never a double.
export const SCALE = 18;
const UNIT = 10n ** BigInt(SCALE);

/** "-12.5" as an integer of 1e-18; null when it is no plain decimal. */
export function parse(text: string | undefined | null): bigint | null {
  const found = /^(-?)(\d+)(?:\.(\d{1,18}))?$/.exec(text ?? '');
  if (!found) return null;
  const value = BigInt(found[2]!) * UNIT + BigInt((found[3] ?? '').padEnd(SCALE, '0'));
  return found[1] ? -value : value;
}

/** The canonical text: no trailing zeros, no "-0". */
export function text(value: bigint): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(SCALE + 1, '0');
  const whole = digits.slice(0, -SCALE);
  const rest = digits.slice(-SCALE).replace(/0+$/, '');
  return (negative ? '-' : '') + whole + (rest ? '.' + rest : '');
}

/** Rounds half away from zero to `decimals` places. */
export function round(value: bigint, decimals: number): bigint {
  const unit = 10n ** BigInt(SCALE - Math.min(decimals, SCALE));
  const rest = value % unit;
  const base = value - rest;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  return twice < unit ? base : base + (value < 0n ? -unit : unit);
}

export const add = (a: bigint | null, b: bigint | null): bigint | null => (a === null || b === null ? null : a + b);
/** For drawing and sorting only. */
export const approx = (value: string | undefined | null): number => (value == null || value === '' ? NaN : Number(value));

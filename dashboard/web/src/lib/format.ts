// Numbers, times and ages for people. Decimals stay exact text; only their picture is made here.
import { parse, round, text } from './dec.ts';

export const NONE = '–';
const MINUS = '\u2212';

const group = (whole: string): string => whole.replace(/\B(?=(\d{3})+$)/g, ',');

export interface DecimalStyle {
  places?: number; // fixed places; without: as many as the value has
  max?: number;    // at most so many places, trailing zeros dropped
  sign?: boolean;  // + and − before what is not zero as shown
}

export function decimal(value: string | undefined | null, style: DecimalStyle = {}): string {
  const exact = parse(value);
  if (exact === null) return value ? value : NONE;
  const limit = style.places ?? style.max;
  const shown = text(limit === undefined ? exact : round(exact, limit));
  const negative = shown.startsWith('-');
  const [whole = '0', rest = ''] = (negative ? shown.slice(1) : shown).split('.');
  const places = style.places === undefined ? rest : rest.padEnd(style.places, '0');
  const sign = negative ? MINUS : style.sign && shown !== '0' ? '+' : '';
  return sign + group(whole) + (places ? '.' + places : '');
}

/** Money: two places for quotes that are like dollars, up to eight for coins. */
export function money(value: string | undefined | null, quote: string, sign = true): string {
  return decimal(value, { places: isDollarLike(quote) ? 2 : 6, sign });
}

export const isDollarLike = (asset: string): boolean => /^(USD[A-Z]?|FDUSD|TUSD|BUSD|DAI|EUR|GBP|USDE)$/.test(asset);

/** -1, 0, 1 without passing through a double. */
export function sign(value: string | undefined | null): number {
  const exact = parse(value);
  return exact === null || exact === 0n ? 0 : exact < 0n ? -1 : 1;
}

/** An age in few letters: 0.2 s, 14 s, 3 min, 2 h, 5 d. Units are SI signs, alike in both languages. */
export function age(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return NONE;
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return s.toFixed(1) + ' s';
  if (s < 90) return Math.round(s) + ' s';
  if (s < 5400) return Math.round(s / 60) + ' min';
  if (s < 129600) return Math.round(s / 3600) + ' h';
  return Math.round(s / 86400) + ' d';
}

export function bytes(value: number | undefined): string {
  if (value === undefined) return NONE;
  return value < 1048576 ? Math.round(value / 1024) + ' KB' : (value / 1048576).toFixed(value < 104857600 ? 1 : 0) + ' MB';
}

const two = (n: number): string => String(n).padStart(2, '0');
export function time(tsMs: number | undefined): string {
  if (!tsMs) return NONE;
  const d = new Date(tsMs);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
export function dateTime(tsMs: number | undefined): string {
  if (!tsMs) return NONE;
  const d = new Date(tsMs);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time(tsMs)}`;
}

/** BTC-USDT-PERP: base BTC, quote USDT. */
export function assets(instrument: string | undefined): { base: string; quote: string } {
  const [base = '', quote = ''] = (instrument ?? '').split('-');
  return { base, quote };
}

/** Places of a step: 0.01000 has 2, 1 has 0. */
export const stepPlaces = (step: string | undefined): number => placesOf(step?.replace(/0+$/, ''));

/** Places of a price text, so that a column keeps its width: 64123.1 has 1. */
export const placesOf = (value: string | undefined): number => (value?.split('.')[1] ?? '').length;

export const lagText = (us: number | undefined): string => (us === undefined ? NONE : `${(us / 1000).toFixed(1)} ms`);
/** How far another clock stands from ours. */
export const offsetText = (ms: number | undefined): string => (ms === undefined ? NONE : `${ms > 0 ? '+' : ms < 0 ? MINUS : ''}${Math.abs(ms)} ms`);

// A strategy's parameter table as a form: text in, checked by the table, values out. The controller checks
// all of it again; what it finds comes back under the field's path.
import type { Param } from '../gen/messages.ts';
import { parse } from './dec.ts';

export type Fault = { kind: 'required' | 'number' | 'whole' | 'name' } | { kind: 'min'; min: string } | { kind: 'max'; max: string };

const NUMERIC: ReadonlySet<Param['type']> = new Set(['int', 'double', 'decimal']);
const DURATION = /^\d+(ms|s|m|h|d)?$/;

/** What is wrong with the text of one field, by its row of the table; null: nothing that shows here. */
export function check(param: Param, text: string): Fault | null {
  const value = text.trim();
  if (value === '') return param.default === undefined ? { kind: 'required' } : null;
  if (param.type === 'duration') return DURATION.test(value) ? null : { kind: 'number' };
  if (!NUMERIC.has(param.type)) return null;
  const exact = parse(value);
  if (exact === null) return { kind: 'number' };
  if (param.type === 'int' && !/^-?\d+$/.test(value)) return { kind: 'whole' };
  const min = parse(param.min);
  const max = parse(param.max);
  if (min !== null && exact < min) return { kind: 'min', min: param.min! };
  if (max !== null && exact > max) return { kind: 'max', max: param.max! };
  return null;
}

/** The value as a manifest writes it: whole numbers and booleans as such, decimals as text. */
export function encode(param: Param, text: string): unknown {
  const value = text.trim();
  if (value === '') return undefined;
  if (param.type === 'bool') return value === 'true';
  if (param.type === 'int' || param.type === 'double') return Number(value);
  return value;
}

export function encodeAll(params: readonly Param[], texts: Readonly<Record<string, string>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const param of params) {
    const value = encode(param, texts[param.name] ?? '');
    if (value !== undefined) out[param.name] = value;
  }
  return out;
}

/** "args.bot.params.levels", "bots[0].params.levels[2]" -> "params.levels". */
export const fieldPath = (path: string | undefined): string =>
  (path ?? '').replace(/^args\./, '').replace(/^(bot|bots\[\d+\])\./, '').replace(/\[\d+\]$/, '');

/** A free name: btc-grid, btc-grid-2, ... */
export function freeName(base: string, strategy: string, taken: { has(name: string): boolean }): string {
  const stem = `${base}-${strategy}`.toLowerCase().replace(/[^a-z0-9-]/g, '-').slice(0, 28);
  if (!taken.has(stem)) return stem;
  for (let n = 2; ; n++) if (!taken.has(`${stem}-${n}`)) return `${stem}-${n}`;
}

/** A price near `price` * factor on the instrument's tick, as text. */
export function nearPrice(price: number, factor: number, tick: string): string {
  const places = (tick.replace(/0+$/, '').split('.')[1] ?? '').length;
  const step = Math.max(Number(tick), 10 ** (Math.floor(Math.log10(price)) - 2)); // three figures are enough for a first idea
  return (Math.round((price * factor) / step) * step).toFixed(places).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

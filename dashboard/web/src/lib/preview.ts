// What a strategy would rest at the venue at a price, from its parameters alone: for the chart of the deploy
// form. For looking at; the strategy's own C code decides.

export interface Level { price: number; buy: boolean; quote: number }
export type Params = Readonly<Record<string, string>>;
export interface Rules { tick: number; notionalMin: number; fee: number } // fee: share of the value, the higher of maker and taker

const number = (params: Params, name: string, otherwise = 0): number => {
  const value = Number(params[name]);
  return params[name] !== undefined && params[name] !== '' && Number.isFinite(value) ? value : otherwise;
};
const list = (params: Params, name: string): number[] => (params[name] ?? '').split(',').map(Number).filter((value) => Number.isFinite(value) && value > 0);

function grid(params: Params, now: number): Level[] {
  const [lower, upper, count, budget] = [number(params, 'lower'), number(params, 'upper'), Math.floor(number(params, 'levels', 20)), number(params, 'budget')];
  if (!(lower > 0 && upper > lower && count >= 1 && count <= 250)) return [];
  const at = (i: number): number => (params.spacing === 'geometric' ? lower * (upper / lower) ** (i / count) : lower + ((upper - lower) * i) / count);
  return Array.from({ length: count }, (_, i) => (at(i) < now ? { price: at(i), buy: true } : { price: at(i + 1), buy: false })) // a cell buys at its lower bound, sells at its upper
    .map((level) => ({ ...level, quote: budget / count }));
}

function dca(params: Params, now: number): Level[] {
  const [amount, profit, count] = [number(params, 'amount'), number(params, 'take_profit_pct', 5), Math.min(50, number(params, 'safety_orders'))];
  const levels: Level[] = [{ price: now * (1 + profit / 100), buy: false, quote: amount }];
  let step = number(params, 'safety_step_pct', 1);
  let off = 0;
  let money = amount;
  for (let i = 0; i < count; i++) {
    off += step;
    step *= number(params, 'safety_step_scale', 1);
    money *= number(params, 'safety_volume_scale', 1);
    if (off < 100) levels.push({ price: now * (1 - off / 100), buy: true, quote: money });
  }
  return levels;
}

function quotes(params: Params, now: number): Level[] {
  const amount = number(params, 'amount');
  const side = (name: string, sign: number): Level[] => list(params, name).map((bps) => ({ price: now * (1 + (sign * bps) / 10000), buy: sign < 0, quote: amount }));
  return [...side('bid_spreads_bps', -1), ...side('ask_spreads_bps', 1)];
}

function lines(params: Params, now: number): Level[] {
  const [lower, step, count] = [number(params, 'lower'), number(params, 'step'), Math.min(501, number(params, 'lines', 21))];
  if (!(lower > 0 && step > 0 && count >= 2)) return [];
  return Array.from({ length: count - 1 }, (_, i) => lower + i * step).filter((price) => price < now).map((price) => ({ price, buy: true, quote: 0 }));
}

const KNOWN: Record<string, (params: Params, now: number) => Level[]> = { grid, dca, pmm_simple: quotes, grid_lines: lines };

/** Null: this strategy rests nothing that could be known before. */
export function preview(strategy: string, params: Params, now: number): Level[] | null {
  const make = KNOWN[strategy];
  return make && now > 0 ? make(params, now) : null;
}

/** Profit of one round of a grid cell after two fees, in percent: the least of all cells. */
export function perRound(params: Params, rules: Rules): number | null {
  const [lower, upper, count] = [number(params, 'lower'), number(params, 'upper'), number(params, 'levels', 20)];
  if (!(lower > 0 && upper > lower && count >= 1)) return null;
  const ratio = params.spacing === 'geometric' ? (upper / lower) ** (1 / count) : upper / (upper - (upper - lower) / count);
  return ((ratio * (1 - rules.fee)) / (1 + rules.fee) - 1) * 100;
}

export type Check = { id: 'range' | 'notional' | 'round' | 'taken' | 'node' | 'price'; ok: boolean; values: Record<string, string> };

/** What can be seen to be wise or not before the controller is asked. */
export function checks(strategy: string, params: Params, now: number, rules: Rules): Check[] {
  const found: Check[] = [];
  const levels = preview(strategy, params, now);
  found.push({ id: 'price', ok: now > 0, values: {} });
  if (!levels || levels.length === 0) return found;
  const smallest = Math.min(...levels.map((level) => level.quote));
  if (smallest > 0 && rules.notionalMin > 0) found.push({ id: 'notional', ok: smallest >= rules.notionalMin, values: { each: smallest.toFixed(2), min: String(rules.notionalMin) } });
  if (strategy !== 'grid') return found;
  found.push({ id: 'range', ok: now >= number(params, 'lower') && now <= number(params, 'upper'), values: {} });
  const round = perRound(params, rules);
  if (round !== null) found.push({ id: 'round', ok: round > 0, values: { pct: round.toFixed(3) } });
  return found;
}

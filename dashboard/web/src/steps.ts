// Tick and lot of what is traded, asked once an instrument: its prices and quantities have the same places everywhere.
import { signal } from '@preact/signals';
import { online, request } from './bus/session.ts';
import { decimal, placesOf, stepPlaces } from './lib/format.ts';

interface Steps { price: number; qty: number } // decimals of each
const known = signal<ReadonlyMap<string, Steps>>(new Map());
const asking = new Set<string>();
const AGAIN_MS = 10000;

async function ask(key: string, venue: string, instrument: string): Promise<void> {
  asking.add(key);
  const answer = await request('instrument-ls', { venue, text: instrument, limit: 50 });
  const row = answer.kind === 'ok' ? answer.result.items.find((each) => each.name === instrument) : undefined;
  if (row) known.value = new Map(known.value).set(key, { price: stepPlaces(row.tick), qty: stepPlaces(row.lot) });
  else setTimeout(() => asking.delete(key), AGAIN_MS);
}

function stepsOf(venue: string | undefined, instrument: string | undefined): Steps | undefined {
  if (!instrument) return undefined;
  const key = `${venue ?? 'binance'} ${instrument}`;
  const steps = known.value.get(key);
  if (!steps && online.value && !asking.has(key)) void ask(key, venue ?? 'binance', instrument);
  return steps;
}

/** Decimals of its prices, where they are known. */
export const pricePlaces = ({ venue, instrument }: Of): number | undefined => stepsOf(venue, instrument)?.price;

interface Of { venue?: string; instrument?: string }
const shown = (value: string | undefined, places: number | undefined): string => decimal(value, places === undefined ? {} : { places: Math.max(places, placesOf(value)) });
/** A price as its instrument's tick has it; never fewer digits than it came with. */
export const priceOf = ({ venue, instrument }: Of, value: string | undefined): string => shown(value, stepsOf(venue, instrument)?.price);
export const qtyOf = ({ venue, instrument }: Of, value: string | undefined): string => shown(value, stepsOf(venue, instrument)?.qty);
/** A computed price (an average), rounded to the tick. */
export const nearOf = ({ venue, instrument }: Of, value: string | undefined): string => decimal(value, { places: stepsOf(venue, instrument)?.price ?? 2 });

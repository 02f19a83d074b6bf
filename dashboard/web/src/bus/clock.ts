// Two clocks: this browser's and the fleet's. Ages must not lie because a laptop's clock does.
import { signal } from '@preact/signals';

/** Fleet time minus browser time, from the freshest live message heard; null before the first. */
export const clockOffsetMs = signal<number | null>(null);

/** A live (not retained) message that the controller made at `tsMs` came at `at`: the largest difference is the least
 * delayed. Only the controller's: one node whose clock is an hour ahead must not put all ages wrong. */
export function heard(tsMs: number, at: number): void {
  const offset = tsMs - at;
  const known = clockOffsetMs.value;
  if (known === null || offset > known || known - offset > 60000) clockOffsetMs.value = offset; // the last: a clock was set
}

export const fleetNow = (): number => Date.now() + (clockOffsetMs.value ?? 0);

/** The page's own second hand, for ages and countdowns. */
export const tick = signal(Date.now());
setInterval(() => { tick.value = Date.now(); }, 500);

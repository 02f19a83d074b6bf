// A view's question to the controller: asked at once and again while the view is open, with the age of the
// answer, and with everything that can stand in its place: loading, not allowed, failed, disconnected.
import { effect, signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { reasonOf } from './actions.ts';
import { online, request, returned, who } from './bus/session.ts';
import { paused, pace } from './prefs.ts';
import type { Verb, Verbs } from './types.ts';

const AGAIN_MS = 3000;

export interface Ask<T> {
  data: Signal<T | null>;
  at: Signal<number>;               // browser time of the answer
  problem: Signal<string | null>;   // why the newest try gave none
  denied: Signal<boolean>;
  busy: Signal<boolean>;
  load(): Promise<void>;
  stop(): void;
}

export function ask<V extends Verb>(verb: V, args: () => Verbs[V]['args'], everyMs = 0): Ask<Verbs[V]['result']> {
  let ended = false;
  let number = 0;
  let again: ReturnType<typeof setTimeout> | undefined; // nobody answered: a question may be repeated
  const made: Ask<Verbs[V]['result']> = {
    data: signal(null), at: signal(0), problem: signal(null), denied: signal(false), busy: signal(false), load, stop: () => {},
  };
  async function load(): Promise<void> {
    const mine = ++number;
    clearTimeout(again);
    if (!online.peek()) return;
    made.busy.value = true;
    const answer = await request(verb, args());
    if (ended || mine !== number) return; // a newer question is on its way
    made.busy.value = false;
    made.denied.value = answer.kind === 'error' && answer.error.code === 'denied';
    made.problem.value = answer.kind === 'ok' ? null : reasonOf(answer);
    if (answer.kind === 'unknown') again = setTimeout(() => void load(), AGAIN_MS);
    if (answer.kind !== 'ok') return;
    made.at.value = Date.now();
    made.data.value = answer.result;
  }
  const allowed = (): boolean => who.peek()?.verbs.includes(verb) ?? true;
  const follow = effect(() => {
    void returned.value;
    if (!online.value || !who.value) {
      made.busy.value = false;
      return;
    }
    made.denied.value = !allowed();
    if (allowed()) void load();
  });
  const timer = everyMs ? setInterval(() => {
    const due = Date.now() - made.at.peek() >= Math.max(everyMs, pace.peek()) - 250;
    if (!made.busy.peek() && !document.hidden && !paused.peek() && allowed() && due) void load();
  }, Math.min(everyMs, 1000)) : undefined;
  made.stop = () => {
    ended = true;
    clearInterval(timer);
    clearTimeout(again);
    follow();
  };
  return made;
}

/** The same for as long as a component is shown; a new `key` asks anew. */
export function useAsk<V extends Verb>(verb: V, args: Verbs[V]['args'], everyMs = 0): Ask<Verbs[V]['result']> {
  const key = JSON.stringify(args);
  const made = useMemo(() => ask(verb, () => args, everyMs), [verb, key]);
  useEffect(() => () => made.stop(), [made]);
  return made;
}

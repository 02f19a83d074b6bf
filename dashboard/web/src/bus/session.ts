// Who is signed in, the one connection, and requests over it.
//
// A request that got no answer in time is "unknown": it may have been done. It is never sent again
// by itself; whoever asked checks the state first (actions.ts). Reads just say that nothing came.
import { signal, computed } from '@preact/signals';
import { createClient, type BusClient, type BusMessage, type BusState } from './client.ts';
import { clockOffsetMs, fleetNow, heard } from './clock.ts';
import { matches, root } from '../lib/topic.ts';
import { ulid } from '../lib/ulid.ts';
import type { CtlHalt, CtlState, FlotillaError, Halt, UResponse, Verb, Verbs, WhoamiResult } from '../types.ts';

export type Answer<T> =
  | { kind: 'ok'; result: T; id: string }
  | { kind: 'error'; error: FlotillaError; id: string }
  | { kind: 'offline' }
  | { kind: 'unknown'; id: string };

export const state = signal<BusState>({ kind: 'idle' });
export const user = signal<string | null>(null);
export const who = signal<WhoamiResult | null>(null);
export const signedIn = signal(false);  // the broker has taken this user once
export const signInError = signal<'credentials' | 'denied' | 'server' | 'offline' | 'ended' | null>(null);
export const controller = signal<CtlState['state'] | null>(null);
export const returned = signal(0);       // how often the controller came back while we listened: open views ask anew
export const halts = signal<Halt[]>([]);
export const denied = signal<ReadonlySet<string>>(new Set()); // filters that the broker refused
export const serverInfo = signal<{ tenant: string; version: string }>({ tenant: 'main', version: '' });
export const BROKER_DENIES = 'the broker does not let this user ask that'; // of this page's own making
const PROTOCOL = 1;                                       // `v` of every message
export const spoken = signal<number | null>(null);        // another version, heard of the fleet: its messages are not understood
export const online = computed(() => state.value.kind === 'online');
export const tenantRoot = computed(() => root(serverInfo.value.tenant));

type Handler = (message: BusMessage) => void;
const listeners = new Set<{ filter: string; handler: Handler }>();
const counts = new Map<string, number>();
const pending = new Map<string, (answer: Answer<never>) => void>();
let client: BusClient | null = null;
let credentials: { username: string; password: string } | null = null;
let sequence = 0;

const SESSION = 'flotilla.session';
const saved = (): typeof credentials => {
  try { return JSON.parse(sessionStorage.getItem(SESSION) ?? 'null') as typeof credentials; } catch { return null; }
};
function save(value: typeof credentials): void {
  try {
    if (value) sessionStorage.setItem(SESSION, JSON.stringify(value));
    else sessionStorage.removeItem(SESSION);
  } catch { /* then a reload asks again */ }
}

/** Listens below the tenant's root; several listeners of one filter share a subscription. */
export function listen(path: string, handler: Handler, qos: 0 | 1 = 0): () => void {
  const filter = tenantRoot.value + path;
  const entry = { filter, handler };
  const count = counts.get(filter) ?? 0;
  listeners.add(entry);
  counts.set(filter, count + 1);
  if (count === 0) client?.subscribe(filter, qos);
  return () => {
    if (!listeners.delete(entry)) return;
    const left = (counts.get(filter) ?? 1) - 1;
    if (left > 0) {
      counts.set(filter, left);
      return;
    }
    counts.delete(filter);
    client?.unsubscribe(filter);
  };
}

/** The body of a message that is for us; null: not JSON, counted by nobody but the console. */
export function body<T>(message: BusMessage): T | null {
  if (message.text === '') return null;
  try {
    const found = JSON.parse(message.text) as T & { v?: number };
    if (found.v === undefined || found.v === PROTOCOL) return found;
    spoken.value = found.v;
    return null;
  } catch {
    console.warn('flotilla: not JSON on', message.topic);
    return null;
  }
}

function dispatch(batch: BusMessage[]): void {
  for (const message of batch)
    for (const entry of [...listeners])
      if (matches(entry.filter, message.topic)) entry.handler(message);
}

function onState(next: BusState): void {
  const before = state.value.kind;
  state.value = next;
  if (next.kind === 'online') {
    signedIn.value = true;
    signInError.value = null;
    save(credentials);
    if (before !== 'online') void askWho();
  } else if (next.kind === 'refused') {
    signInError.value = signedIn.value ? 'ended' : next.code;
    forget();
  } else if (next.kind === 'waiting' && !signedIn.value) {
    signInError.value = 'offline';
  }
}

async function askWho(): Promise<void> {
  const compared = clockOffsetMs.value !== null;
  const answer = await request('whoami', {}, 20000);
  if (answer.kind === 'ok') who.value = answer.result;
  else if (answer.kind === 'error' && !compared) void askWho(); // refused for this computer's clock, and now we know by how much
  else if (answer.kind === 'unknown') setTimeout(() => { if (online.peek() && !who.peek()) void askWho(); }, 1000); // a question may be repeated
}

function forget(): void {
  save(null);
  client?.end();
  credentials = null;
  signedIn.value = false;
  who.value = null;
  user.value = null;
}

function standing(name: string): void {
  listen(`u/${name}/res/#`, (message) => {
    const answer = body<UResponse>(message);
    if (!answer) return;
    heard(answer.ts_ms, message.at);
    pending.get(answer.re)?.(answer.ok
      ? { kind: 'ok', result: answer.result as never, id: answer.re }
      : { kind: 'error', error: answer.error ?? { code: 'internal', message: 'refused without a reason' }, id: answer.re });
  }, 1);
  listen('ctl/state', (message) => {
    controller.value = body<CtlState>(message)?.state ?? null;
    if (controller.value === 'online' && !message.retained) returned.value++;
    if (controller.value === 'online' && online.value && !who.value) void askWho();
  }, 1);
  listen('ctl/halt', (message) => { halts.value = body<CtlHalt>(message)?.halts ?? []; }, 1);
}

/** For the few things that come over HTTP: the broker login, as the gateway takes it. */
export function authorization(): string {
  const bytes = new TextEncoder().encode(`${credentials?.username ?? ''}:${credentials?.password ?? ''}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

const mqttUrl = (): string => new URL('mqtt', location.href).href.replace(/^http/, 'ws').replace(/#.*$/, '');

function makeClient(): BusClient {
  const made = createClient();
  made.onMessage = dispatch;
  made.onState = onState;
  made.onDenied = (filter) => { denied.value = new Set(denied.value).add(filter); };
  return made;
}

export function signIn(username: string, password: string): void {
  const fresh = credentials?.username !== username;
  credentials = { username, password };
  user.value = username;
  signInError.value = null;
  client ??= makeClient();
  if (fresh) {
    listeners.clear();
    counts.clear();
    denied.value = new Set();
    standing(username);
  }
  client.connect({ url: mqttUrl(), username, password, clientId: `web-${username.slice(0, 20)}-${ulid().slice(-10)}` });
}

export function signOut(): void {
  forget();
  signInError.value = null;
  state.value = { kind: 'idle' };
  location.hash = '';
}

/** Drops the wait and connects at once. */
export function retryNow(): void {
  if (credentials) signIn(credentials.username, credentials.password);
}

export async function start(): Promise<void> {
  const before = saved();
  if (before) client ??= makeClient(); // its worker loads while we ask
  try {
    const reply = await fetch('config.json', { cache: 'no-store' });
    if (reply.ok) serverInfo.value = (await reply.json()) as { tenant: string; version: string };
  } catch { /* signing in will say that the server is away */ }
  if (before) signIn(before.username, before.password);
}

/** Whether the user's role has this verb; not before the controller said so. */
export const may = (verb: Verb): boolean => who.value?.verbs.includes(verb) ?? false;

/** Publishes a request and waits for its one answer. */
export async function request<V extends Verb>(verb: V, args: Verbs[V]['args'], timeoutMs = 10000): Promise<Answer<Verbs[V]['result']>> {
  const name = user.value;
  if (!client || !online.value || !name) return { kind: 'offline' };
  const id = ulid();
  const path = `${tenantRoot.value}u/${name}/`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const answered = new Promise<Answer<Verbs[V]['result']>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'unknown', id }), timeoutMs);
    pending.set(id, resolve);
  });
  const now = fleetNow(); // what says that it is from the future is refused
  const expires = clockOffsetMs.value === null ? undefined : now + timeoutMs;
  const message = { v: 1, id, ts_ms: now, src: `user/${name}/web`, seq: ++sequence, expires_ms: expires, args };
  void client.publish(`${path}req/${verb}`, JSON.stringify(message), {
    responseTopic: `${path}res/${id}`, correlation: id, expiryS: Math.ceil(timeoutMs / 1000),
  }).then((outcome) => { // the answer may be here before the broker's PUBACK
    if (outcome === 'offline') pending.get(id)?.({ kind: 'offline' });
    if (outcome === 'denied')
      pending.get(id)?.({ kind: 'error', id, error: { code: 'denied', message: BROKER_DENIES } });
  });
  const answer = await answered;
  clearTimeout(timer);
  pending.delete(id);
  return answer;
}

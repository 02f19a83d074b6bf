// Addresses after the #: /fleet, /bot/<name>, /node/<name>, /deploy/clone/<bot>... A reload or a sent link opens the same view.
import { signal } from '@preact/signals';

export const VIEWS = [
  'fleet', 'deploy', 'nodes', 'portfolio', 'orders', 'market', 'alerts', 'logs', 'backtests', 'accounts', 'users', 'tokens', 'audit', 'bot', 'node',
] as const;
export type View = (typeof VIEWS)[number];
export interface Route { view: View; args: string[] }

const NAMED: ReadonlySet<View> = new Set(['bot', 'node']);
const isWord = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);

/** What an address does not name well opens the fleet: nothing of it reaches a view unchecked. */
export function parseRoute(hash: string): Route {
  const [view = '', ...args] = hash.replace(/^#?\/?/, '').split('/');
  const known = VIEWS.find((each) => each === view);
  if (!known || !args.every(isWord) || (NAMED.has(known) && !args[0])) return { view: 'fleet', args: [] };
  return { view: known, args };
}

export const route = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => { route.value = parseRoute(location.hash); });

export const go = (path: string): void => { location.hash = '#/' + path; };

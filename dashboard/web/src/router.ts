// Addresses after the #: /fleet, /bot/<name>, /deploy, /nodes. A reload or a sent link opens the same view.
import { signal } from '@preact/signals';

export type Route = { view: 'fleet' } | { view: 'bot'; bot: string } | { view: 'deploy' } | { view: 'nodes' };

export function parseRoute(hash: string): Route {
  const [view = '', name = ''] = hash.replace(/^#?\/?/, '').split('/');
  if (view === 'bot' && /^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) return { view, bot: name };
  if (view === 'deploy' || view === 'nodes') return { view };
  return { view: 'fleet' };
}

export const route = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => { route.value = parseRoute(location.hash); });

export const go = (path: string): void => { location.hash = '#/' + path; };

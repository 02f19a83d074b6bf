// Shell: sign-in, or header, navigation and the view of the address.
import { useEffect } from 'preact/hooks';
import type { ComponentType, VNode } from 'preact';
import { Bar, Banners, Navigation } from './parts/shell.tsx';
import { Notices } from './parts/notices.tsx';
import { Lazy } from './parts/lazy.tsx';
import { Fleet } from './views/fleet.tsx';
import { SignIn } from './views/signin.tsx';
import { signedIn } from './bus/session.ts';
import { follow, forgetFleet } from './fleet.ts';
import { route, type View } from './router.ts';
import { language, t } from './i18n/index.ts';
import { Keys } from './parts/keys.tsx';
import { Progress } from './parts/progress.tsx';

type Load = () => Promise<{ default: ComponentType<Record<string, string>> }>;
const LOAD: Partial<Record<View, Load>> = {
  bot: () => import('./views/bot.tsx') as ReturnType<Load>,
  deploy: () => import('./views/deploy.tsx'),
  nodes: () => import('./views/nodes.tsx'),
  node: () => import('./views/node.tsx') as ReturnType<Load>,
  portfolio: () => import('./views/portfolio.tsx'),
  orders: () => import('./views/orders.tsx'),
  market: () => import('./views/market.tsx'),
  alerts: () => import('./views/alerts.tsx'),
  logs: () => import('./views/logs.tsx'),
  backtests: () => import('./views/backtests.tsx'),
  accounts: () => import('./views/accounts.tsx'),
  users: () => import('./views/users.tsx'),
  tokens: () => import('./views/tokens.tsx'),
  audit: () => import('./views/audit.tsx'),
};

function Shown(): VNode {
  const { view, args } = route.value;
  const load = LOAD[view];
  useEffect(() => {
    document.title = `${args[0] && (view === 'bot' || view === 'node') ? args[0] : t(view === 'bot' || view === 'node' ? 'nav.fleet' : `nav.${view}`)} · Flotilla`;
  }, [view, args[0], language.value]);
  if (!load) return <Fleet />;
  const named = view === 'bot' || view === 'node';
  return <Lazy key={named ? `${view} ${args[0]}` : view} load={load} props={named ? { name: args[0]! } : {}} />;
}

function Inside(): VNode {
  useEffect(() => {
    let stop: (() => void) | null = follow();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const seen = (): void => { // a tab that nobody looks at for a minute needs no digest; it is retained
      clearTimeout(timer);
      if (!document.hidden) stop ??= follow();
      else timer = setTimeout(() => { stop?.(); stop = null; }, 60000);
    };
    document.addEventListener('visibilitychange', seen);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
      stop?.();
      forgetFleet();
    };
  }, []);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>{t('app.skip')}</a>
      <Bar />
      <Navigation />
      <main id="main" tabIndex={-1}>
        <Banners />
        <Shown />
      </main>
      <Notices />
      <Keys />
      <Progress />
    </div>
  );
}

export const App = (): VNode => (signedIn.value ? <Inside /> : <SignIn />);

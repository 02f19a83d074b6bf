// Shell: sign-in, or header, navigation and the view of the address.
import { useEffect } from 'preact/hooks';
import type { VNode } from 'preact';
import { Bar, Banners, Navigation } from './parts/shell.tsx';
import { Notices } from './parts/notices.tsx';
import { Lazy } from './parts/lazy.tsx';
import { Fleet } from './views/fleet.tsx';
import { SignIn } from './views/signin.tsx';
import { signedIn } from './bus/session.ts';
import { follow, forgetFleet } from './fleet.ts';
import { route } from './router.ts';
import { t } from './i18n/index.ts';

const bot = (): Promise<{ default: (props: { name: string }) => VNode }> => import('./views/bot.tsx');
const deploy = (): Promise<{ default: () => VNode }> => import('./views/deploy.tsx');
const nodes = (): Promise<{ default: () => VNode }> => import('./views/nodes.tsx');

function View(): VNode {
  const at = route.value;
  if (at.view === 'bot') return <Lazy key={at.bot} load={bot} props={{ name: at.bot }} />;
  if (at.view === 'deploy') return <Lazy key="deploy" load={deploy} props={{}} />;
  if (at.view === 'nodes') return <Lazy key="nodes" load={nodes} props={{}} />;
  return <Fleet />;
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
        <View />
      </main>
      <Notices />
    </div>
  );
}

export const App = (): VNode => (signedIn.value ? <Inside /> : <SignIn />);

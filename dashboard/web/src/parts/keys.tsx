// Keys for everything, and the sheet that lists them. Single keys can be switched off (WCAG 2.1.4).
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { VNode } from 'preact';
import { t, type Key } from '../i18n/index.ts';
import { keysOn, paused } from '../prefs.ts';
import { go, route, type View } from '../router.ts';
import { Dialog } from './dialog.tsx';

export const keysOpen = signal(false);
const GO: Record<string, View> = {
  f: 'fleet', d: 'deploy', n: 'nodes', p: 'portfolio', o: 'orders', m: 'market', a: 'alerts', l: 'logs', b: 'backtests', k: 'accounts', u: 'users', t: 'tokens', h: 'audit',
};
const SHEET: [string, Key][] = [
  ['/', 'keys.filter'], ['j k', 'keys.rows'], ['Enter', 'keys.open'], ['Space', 'keys.select'], ['Shift Space', 'keys.extend'], ['Esc', 'keys.clear'],
  ['p', 'keys.pause'], ['!', 'keys.halt'], ['?', 'keys.help'],
];
const typing = (target: EventTarget | null): boolean => target instanceof HTMLElement && (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable);
let waitsUntil = 0;

function press(event: KeyboardEvent): void {
  if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('dialog[open]')) return;
  const { key } = event;
  const now = Date.now();
  if (now < waitsUntil && GO[key]) {
    waitsUntil = 0;
    go(GO[key]);
  } else if (key === 'g') waitsUntil = now + 1200;
  else if (key === '?') keysOpen.value = true;
  else if (key === 'p') paused.value = !paused.value;
  else if (key === '!') document.querySelector<HTMLButtonElement>('[data-testid=halt]')?.click();
  else if (key === '/' && route.value.view !== 'fleet') document.querySelector<HTMLInputElement>('main input[type=search]')?.focus();
  else return;
  event.preventDefault();
}

export function Keys(): VNode | null {
  useEffect(() => {
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  if (!keysOpen.value) return null;
  return (
    <Dialog title={t('keys.title')} close={() => { keysOpen.value = false; }}>
      <dl class="keys" data-testid="keys">{SHEET.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{t(what)}</dd></div>)}
        {Object.entries(GO).map(([key, view]) => <div key={key}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{t(`nav.${view as Exclude<View, 'bot' | 'node'>}`)}</dd></div>)}</dl>
    </Dialog>
  );
}

// What a view draws while it has nothing to draw: loading, empty, failed.
import type { ComponentChildren, VNode } from 'preact';
import type { Ask } from '../ask.ts';
import { tick } from '../bus/clock.ts';
import { online, user, who } from '../bus/session.ts';
import { Icon } from './icon.tsx';
import { Told } from './told.tsx';
import { t } from '../i18n/index.ts';
import { age } from '../lib/format.ts';
import { pace } from '../prefs.ts';

export function Skeleton({ rows }: { rows: number }): VNode {
  return (
    <div class="skeleton" role="status" aria-label={t('state.loading')}>
      {Array.from({ length: rows }, (_, i) => <div key={i} class={`bone bone-${i % 4}`} />)}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): VNode {
  return (
    <div class="empty">
      <Icon name="boat" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ why, retry }: { why: string; retry?: () => void }): VNode {
  return (
    <div class="empty failed" role="alert">
      <Icon name="alert" />
      <p>{t('state.error', { why: '' })}<Told text={why} /></p>
      {retry && <button class="btn" onClick={retry}>{t('act.retry')}</button>}
    </div>
  );
}

/** Which right is missing, and who can give it. */
export const Denied = ({ verb }: { verb: string }): VNode => (
  <div class="empty denied" data-testid="denied"><Icon name="lock" /><h2>{t('state.denied')}</h2><p>{t('state.deniedWhy', { verb, role: who.value?.role ?? '?' })}</p>
    <pre>flotilla user role {user.value} trader</pre></div>
);

/** Age of what is shown, loud when it is old or the connection is gone. */
export function Fresh({ of }: { of: Pick<Ask<unknown>, 'at' | 'problem' | 'busy'> }): VNode {
  void tick.value;
  const old = Date.now() - of.at.value;
  const stale = !online.value || of.problem.value !== null || old > Math.max(30000, pace.value * 3);
  return <span class={`fresh num ${stale ? 'old' : ''}`} role={stale ? 'status' : undefined}>{of.at.value === 0 ? '' : t(stale ? 'state.staleFrom' : 'state.from', { age: age(old) })}</span>;
}

/** The answer drawn, or what stands in its place. */
export function Asked<T>({ of, verb, rows = 5, children }: { of: Ask<T>; verb: string; rows?: number; children: (data: T) => VNode }): VNode {
  const { data, problem, denied } = of;
  if (denied.value) return <Denied verb={verb} />;
  if (data.value === null && problem.value !== null) return <Failed why={problem.value} retry={() => void of.load()} />;
  if (data.value === null) return online.value ? <Skeleton rows={rows} /> : <Failed why={t('state.offline')} />;
  return (
    <>
      {problem.value !== null && online.value && <div class="banner warn" role="status"><Icon name="alert" /><span>{t('state.notRenewed', { why: '' })}<Told text={problem.value} /></span><button class="btn small" onClick={() => void of.load()}>{t('act.retry')}</button></div>}
      {children(data.value)}
    </>
  );
}

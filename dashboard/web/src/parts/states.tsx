// What a view draws while it has nothing to draw: loading, empty, failed.
import type { ComponentChildren, VNode } from 'preact';
import { Icon } from './icon.tsx';
import { t } from '../i18n/index.ts';

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
      <p>{t('state.error', { why })}</p>
      {retry && <button class="btn" onClick={retry}>{t('act.retry')}</button>}
    </div>
  );
}

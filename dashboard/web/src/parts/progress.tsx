// What an action on many bots has come to, bot by bot; closing it stops nothing.
import type { VNode } from 'preact';
import { work, type Step } from '../bulk.ts';
import { t } from '../i18n/index.ts';
import { Dialog } from './dialog.tsx';
import { Told } from './told.tsx';

const MARK: Record<Step, string> = { waiting: '·', asked: '…', recorded: '…', ok: '✓', bad: '✕', unsure: '?' };

export function Progress(): VNode | null {
  const now = work.value;
  if (!now?.open) return null;
  const total = now.covered ?? now.items.length;
  const done = now.confirmed ?? now.items.filter((item) => item.step === 'ok').length;
  const failed = now.items.filter((item) => item.step === 'bad').length;
  const unsure = now.items.filter((item) => item.step === 'unsure').length;
  const close = (): void => { work.value = { ...now, open: false, halt: undefined }; };
  return (
    <Dialog title={now.title} close={close}>
      <div class="work" data-testid="work" data-done={String(now.done)}>
        <progress class="meter" max={Math.max(1, total)} value={done} aria-label={now.title} />
        <p role="status" data-testid="work-sum">{t('bulk.sum', { done, total })}{failed > 0 ? ` · ${t('bulk.failed', { n: failed })}` : ''}{unsure > 0 ? ` · ${t('bulk.unsure', { n: unsure })}` : ''}</p>
        {now.note && <p class="sev-warning"><Told text={now.note} /></p>}
        <ul tabIndex={0} aria-label={now.title}>{now.items.slice(0, 300).map((item) => (
          <li key={item.bot}><span class={`mark s-${item.step}`} aria-hidden="true">{MARK[item.step]}</span><b>{item.bot}</b><span>{t(`bulk.step.${item.step}`)} <span class="dim"><Told text={item.text} /></span></span></li>))}</ul>
        <p class="dim small">{t('bulk.hint')}</p>
        <div class="foot"><button class="btn" onClick={close}>{t('act.close')}</button></div>
      </div></Dialog>
  );
}

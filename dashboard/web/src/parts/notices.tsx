import type { VNode } from 'preact';
import { dismiss, notices, type Tone } from '../actions.ts';
import { Icon, type IconName } from './icon.tsx';
import { Told } from './told.tsx';
import { t } from '../i18n/index.ts';

const ICON: Record<Tone, IconName> = { pending: 'down', ok: 'check', bad: 'alert', unsure: 'alert' };

export const Notices = (): VNode => (
  <div class="notices" role="status">
    {notices.value.map(({ n, tone, text, told, hint, id, again }) => (
      <div key={n} class={`notice ${tone}`}>
        {tone === 'pending' ? <span class="spinner" /> : <Icon name={ICON[tone]} />}
        <div>
          <p>{text}{told && <Told text={told} />}</p>
          {hint && <p class="dim"><Told text={hint} /></p>}
          {id && tone !== 'ok' && tone !== 'pending' && <p class="dim mono">{t('cmd.id', { id })}</p>}
          {again && <button class="btn small" data-testid="again" onClick={again}>{t('act.retry')}</button>}
        </div>
        {tone !== 'pending' && <button class="ghost" aria-label={t('act.close')} onClick={() => dismiss(n)}><Icon name="close" /></button>}
      </div>
    ))}
  </div>
);

// Something that is shown once: it can be copied, and is gone when closed.
import type { VNode } from 'preact';
import { t } from '../i18n/index.ts';
import { Icon } from './icon.tsx';

export const Secret = ({ title, text, close }: { title: string; text: string; close: () => void }): VNode => (
  <div class="secret" role="alert" data-testid="secret"><b>{title}</b><code>{text}</code>
    <span class="row-acts"><button class="btn small" onClick={() => void navigator.clipboard?.writeText(text)}><Icon name="copy" />{t('act.copy')}</button><button class="btn small" onClick={close}>{t('act.close')}</button></span></div>
);

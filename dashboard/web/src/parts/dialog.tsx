// The browser's own modal dialog: focus stays in it, Escape closes it.
import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren, VNode } from 'preact';
import { Icon } from './icon.tsx';
import { t } from '../i18n/index.ts';

export function Dialog({ title, close, children, danger }: { title: string; close: () => void; children: ComponentChildren; danger?: boolean }): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return (
    <dialog ref={ref} class={danger ? 'danger' : ''} onClose={close} aria-label={title}
      onClick={(event) => { if (event.target === ref.current) close(); }}>
      <div class="dialog-body">
        <div class="dialog-head">
          <h2>{title}</h2>
          <button class="ghost" type="button" aria-label={t('act.close')} onClick={close}><Icon name="close" /></button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

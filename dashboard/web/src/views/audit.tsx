// Who did what, when, with what result; a change of a bot opens into its differences.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import { t } from '../i18n/index.ts';
import { dateTime } from '../lib/format.ts';
import { visible } from '../lib/text.ts';
import { Changes } from '../parts/changes.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import type { AuditRow } from '../types.ts';

const NEAR_MS = 3000;
const COLS: Col<AuditRow>[] = [
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'num', cell: (row) => <><span class="m-hide">{dateTime(row.ts_ms).slice(0, 10)} </span>{dateTime(row.ts_ms).slice(11)}</> },
  { id: 'user', label: 'col.user', text: (row) => row.user, cell: (row) => <b>{row.user}</b> },
  { id: 'verb', label: 'col.action', text: (row) => row.verb, cls: 'mono' },
  { id: 'target', label: 'col.target', text: (row) => row.target },
  { id: 'ok', label: 'col.result', text: (row) => (row.ok ? 'ok' : row.code), cls: 'm-hide', cell: (row) => (row.ok ? <span class="good"><span aria-hidden="true">✓</span> {t('audit.ok')}</span> : <span class="badword"><span aria-hidden="true">✕</span> {row.code}</span>) },
  { id: 'args', label: 'col.args', text: (row) => row.args, cls: 'm-hide mono cut', cell: (row) => visible(row.args, 200) },
];

function Detail({ row, close }: { row: AuditRow; close: () => void }): VNode {
  const isBot = row.ok && /^(bot-|apply)/.test(row.verb) && !!row.target;
  return (
    <Dialog title={`${row.verb} ${row.target ?? ''}`} close={close}>
      <dl class="pairs"><dt>{t('col.user')}</dt><dd>{row.user}</dd><dt>{t('col.time')}</dt><dd class="num">{dateTime(row.ts_ms)}</dd>
        <dt>{t('col.result')}</dt><dd>{row.ok ? t('audit.ok') : `${row.code}: ${visible(row.message ?? '')}`}</dd></dl>
      <h3>{t('col.args')}</h3><pre class="config">{visible(row.args)}</pre>
      {isBot && <><h3>{t('audit.changes')}</h3><NearChanges bot={row.target!} at={row.ts_ms} /></>}
      <p class="dim small mono">SHA-256 {row.digest}</p>
    </Dialog>
  );
}

function NearChanges({ bot, at }: { bot: string; at: number }): VNode {
  const asked = useAsk('bot-history', { bot, limit: 100 });
  return <Asked of={asked} verb="bot-history" rows={2}>{(data) => {
    const row = data.items.find((each) => Math.abs(each.ts_ms - at) < NEAR_MS);
    return row ? <Changes rows={row.changes} /> : <p class="dim">{t('audit.noChanges')}</p>;
  }}</Asked>;
}

export default function Audit(): VNode {
  const [who, setWho] = useState('');
  const [target, setTarget] = useState('');
  const [failed, setFailed] = useState(false);
  const [open, setOpen] = useState<AuditRow | null>(null);
  const asked = useAsk('audit-ls', { limit: 200, ...(who ? { who } : {}), ...(target ? { target } : {}), ...(failed ? { ok: false } : {}) }, 10000);
  return (
    <div class="page"><div class="head"><h1>{t('nav.audit')}</h1><Fresh of={asked} /></div>
      <section class="card"><Asked of={asked} verb="audit-ls">{(data) => (
        <Grid name="audit" label={t('nav.audit')} rows={data.items} cols={COLS} rowKey={(row) => row.n} open={setOpen}>
          <label class="search"><Icon name="people" /><span class="sr">{t('audit.who')}</span><input type="search" placeholder={t('audit.who')} value={who} onChange={(event) => setWho(event.currentTarget.value.trim())} /></label>
          <label class="search"><Icon name="search" /><span class="sr">{t('audit.target')}</span><input type="search" placeholder={t('audit.target')} value={target} onChange={(event) => setTarget(event.currentTarget.value.trim())} /></label>
          <label class="check-row"><input type="checkbox" checked={failed} onChange={(event) => setFailed(event.currentTarget.checked)} />{t('audit.failed')}</label>
        </Grid>)}</Asked></section>
      {open && <Detail row={open} close={() => setOpen(null)} />}</div>
  );
}

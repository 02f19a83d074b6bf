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
import { Told } from '../parts/told.tsx';
import type { AuditRow } from '../types.ts';

const NEAR_MS = 3000;
const COLS: Col<AuditRow>[] = [
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'num', cell: (row) => <><span class="m-hide">{dateTime(row.ts_ms).slice(0, 10)} </span>{dateTime(row.ts_ms).slice(11)}</> },
  { id: 'user', label: 'col.user', text: (row) => row.user, cell: (row) => <b>{row.user}</b> },
  { id: 'verb', label: 'col.action', text: (row) => row.verb, cell: (row) => <span class="mono">{row.verb}</span> },
  { id: 'target', label: 'col.target', text: (row) => row.target },
  { id: 'ok', label: 'col.result', text: (row) => (row.ok ? 'ok' : row.code), cell: (row) => (row.ok ? <span class="good"><span aria-hidden="true">✓</span> <span class="m-hide">{t('audit.ok')}</span><span class="sr">{t('audit.ok')}</span></span> : <span class="badword"><span aria-hidden="true">✕</span> <span class="m-hide">{row.code}</span><span class="sr">{row.code}</span></span>) },
  { id: 'changes', label: 'audit.changes', text: (row) => row.changes, cls: 'm-hide wrap', cell: (row) => (row.changes ? <Said text={row.changes} max={3} /> : <span class="dim mono small">{visible(row.args, 90)}</span>) },
];

/** What the controller wrote down of a change, "run: running -> stopped", a line each: old struck, new after it. */
function Said({ text, max = 60 }: { text: string; max?: number }): VNode {
  const lines = text.split(/\r?\n|;\s+/).filter(Boolean);
  return (
    <ul class="said" data-testid="said">{lines.slice(0, max).map((line) => {
      const found = /^([^:]+):\s*(.*?)\s*->\s*(.*)$/.exec(line);
      return <li key={line} class="mono small">{found ? <>{visible(found[1]!)} {found[2] && found[2] !== '-' && <del class="gone">− {visible(found[2], 200)}</del>} <ins class="come">+ {visible(found[3]!, 200)}</ins></> : visible(line, 400)}</li>;
    })}{lines.length > max && <li class="dim small">… {lines.length - max}</li>}</ul>
  );
}

function Detail({ row, close }: { row: AuditRow; close: () => void }): VNode {
  const isBot = row.ok && /^(bot-|apply)/.test(row.verb) && !!row.target;
  return (
    <Dialog title={`${row.verb} ${row.target ?? ''}`} close={close}>
      <dl class="pairs"><dt>{t('col.user')}</dt><dd>{row.user}</dd><dt>{t('col.time')}</dt><dd class="num">{dateTime(row.ts_ms)}</dd>
        <dt>{t('col.result')}</dt><dd>{row.ok ? t('audit.ok') : <>{row.code}: <Told text={row.message ?? ''} /></>}</dd></dl>
      <h3>{t('col.args')}</h3><pre class="config">{visible(row.args)}</pre>
      {row.changes ? <><h3>{t('audit.changes')}</h3><Said text={row.changes} /></> : isBot && <><h3>{t('audit.changes')}</h3><NearChanges bot={row.target!} at={row.ts_ms} /></>}
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

// The rarer tabs of a bot: profit by day, events, limits, configuration with its past, and the wire itself.
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import type { BotData } from '../botdata.ts';
import { listen } from '../bus/session.ts';
import { t, word, type Key } from '../i18n/index.ts';
import { assets, dateTime, decimal, money, NONE, time } from '../lib/format.ts';
import { pretty, visible } from '../lib/text.ts';
import { Changes } from './changes.tsx';
import { DayBars } from './days.tsx';
import { Grid, type Col } from './grid.tsx';
import { Icon } from './icon.tsx';
import { Asked } from './states.tsx';
import { Told } from './told.tsx';
import type { HistoryRow } from '../types.ts';

interface Props { data: BotData }

export function Days({ data }: Props): VNode {
  const asked = useAsk('pnl-days', { bot: data.name }, 60000);
  return <Asked of={asked} verb="pnl-days">{(answer) => <DayBars name="bot-days" days={answer.items} />}</Asked>;
}

/** "waiting -> running: why", its phases and the reason in the reader's language. */
function inWords(text: string): VNode {
  const [, old, now, , reason] = /^(\w+) -> (\w+)(: (.*))?$/s.exec(text) ?? [];
  return old ? <>{word('phase', old)} → {word('phase', now)}{reason && <>: <Told text={reason} /></>}</> : <Told text={text} />;
}

const EVENTS: Col<HistoryRow>[] = [
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'num' },
  { id: 'kind', label: 'col.event', text: (row) => row.kind, cell: (row) => word('event', row.kind) },
  { id: 'text', label: 'col.text', text: (row) => row.text, cell: (row) => inWords(row.text), cls: 'wrap' },
  { id: 'by', label: 'col.user', text: (row) => row.by, cls: 'm-hide' },
  { id: 'generation', label: 'col.generation', num: true, text: (row) => row.generation, cls: 'm-hide' },
  { id: 'epoch', label: 'nodes.epoch', num: true, text: (row) => row.epoch, cls: 'm-hide' },
];

export function Events({ data }: Props): VNode {
  const asked = useAsk('bot-show', { bot: data.name }, 5000);
  return <Asked of={asked} verb="bot-show">{({ history }) => <Grid name="bot-events" label={t('bot.tab.events')} rows={history} cols={EVENTS} rowKey={(row) => `${row.ts_ms} ${row.kind} ${row.text}`} none={t('bot.noHistory')} />}</Asked>;
}

const LIMITS = ['max_order_notional', 'max_position', 'max_position_notional', 'max_open_orders', 'max_orders_per_minute', 'price_band_pct', 'stale_ms', 'max_daily_loss', 'max_drawdown_pct', 'price_stop_low', 'price_stop_high', 'time_stop_ms'] as const;

/** What a limit is measured by now, where the bot says so. */
function used(name: (typeof LIMITS)[number], data: BotData): string | undefined {
  const state = data.state.value;
  if (name === 'max_open_orders') return state ? String(state.orders_open) : undefined;
  if (name === 'max_position') return state?.book.position;
  if (name === 'max_daily_loss') return state?.risk?.daily;
  if (name === 'max_drawdown_pct') return state?.risk?.drawdown_pct?.toFixed(2);
  if (name === 'price_stop_low' || name === 'price_stop_high') return state?.price;
  return undefined;
}

export function Risk({ data }: Props): VNode {
  const limits = data.show.value?.spec.risk ?? {};
  const state = data.state.value?.risk;
  const rows = LIMITS.filter((name) => limits[name] !== undefined);
  return (
    <div class="risk">
      <dl class="pairs"><dt>{t('risk.rule')}</dt><dd class={state?.rule ? 'sev-critical' : 'good'}>{state?.rule ? word('risk', state.rule) : t('risk.noRule')}</dd>
        <dt>{t('risk.vetoes')}</dt><dd class="num">{state?.vetoes ?? NONE}</dd><dt>{t('risk.daily')}</dt><dd class="num">{money(state?.daily, assets(data.show.value?.bot.instrument).quote)}</dd>
        <dt>{t('risk.drawdown')}</dt><dd class="num">{state?.drawdown_pct === undefined ? NONE : `${state.drawdown_pct.toFixed(2)} %`}</dd></dl>
      {rows.length === 0 ? <p class="dim">{t('risk.none')}</p> : (
        <table><thead><tr><th scope="col">{t('risk.limit')}</th><th scope="col" class="r">{t('risk.now')}</th><th scope="col" class="r">{t('risk.max')}</th><th scope="col" class="m-hide">{t('col.share')}</th></tr></thead>
          <tbody>{rows.map((name) => {
            const max = Number(limits[name]);
            const now = used(name, data);
            const share = now === undefined || name.startsWith('price_stop') ? null : Math.abs(name === 'max_daily_loss' ? Math.min(0, Number(now)) : Number(now)) / (max || 1);
            return <tr key={name}><td>{word('risk', name)}</td><td class="r num">{now === undefined ? NONE : decimal(now)}</td><td class="r num">{decimal(String(limits[name]))}</td>
              <td class="m-hide">{share !== null && <progress class={`meter ${share > 0.8 ? 'high' : ''}`} max={1} value={Math.min(1, share)} aria-label={word('risk', name)} />}</td></tr>;
          })}</tbody></table>)}
    </div>
  );
}

export function Config({ data }: Props): VNode {
  const asked = useAsk('bot-history', { bot: data.name, limit: 50 });
  const [shown, setShown] = useState<number | null>(null);
  return (
    <div class="config-tab">
      <div class="grid-tools"><a class="btn small" href={`#/deploy/edit/${data.name}`}><Icon name="edit" />{t('act.edit')}</a><a class="btn small" href={`#/deploy/clone/${data.name}`}><Icon name="copy" />{t('act.clone')}</a></div>
      <pre class="config" tabIndex={0} role="region" aria-label={t('bot.tab.config')}>{pretty(data.show.value?.spec ?? {})}</pre>
      <h3>{t('bot.generations')}</h3>
      <Asked of={asked} verb="bot-history" rows={2}>{({ items }) => <ol class="generations">{items.map((row) => (
        <li key={row.id}><p><b class="num">{row.generation}</b> {row.what} · {word('phase', row.run)} · {row.node} <span class="dim">{row.by} · <span class="num">{dateTime(row.ts_ms)}</span></span>
          <button class="btn small" aria-expanded={shown === row.id} onClick={() => setShown(shown === row.id ? null : row.id)}>{t('bot.wholeSpec')}</button></p>
          {row.changes.length > 0 && <Changes rows={row.changes} />}{shown === row.id && <pre class="config">{pretty(row.spec)}</pre>}</li>))}</ol>}</Asked>
    </div>
  );
}

interface Message { n: number; at: number; topic: string; text: string; retained: boolean }
const KEEP = 200;
const Topic = ({ row }: { row: Message }): VNode => <span class="mono">{row.topic.split('/').slice(3).join('/')} {row.retained && <span class="tag">{t('bot.retained')}</span>}</span>;

export function Raw({ data }: Props): VNode {
  const [list, setList] = useState<Message[]>([]);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    let n = 0;
    let fresh: Message[] = [];
    const stop = listen(`n/+/b/${data.name}/#`, (message) => { fresh.push({ n: ++n + message.at, at: message.at, topic: message.topic, text: message.text, retained: message.retained }); });
    const timer = setInterval(() => {
      if (!fresh.length) return;
      const add = fresh.reverse();
      fresh = [];
      setList((old) => [...add, ...old].slice(0, KEEP));
    }, 500);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [data, held]);
  const cols: Col<Message>[] = [
    { id: 'time', label: 'col.time', text: (row) => time(row.at), cls: 'num' },
    { id: 'topic', label: 'col.topic', text: (row) => row.topic, cell: (row) => <Topic row={row} />, cls: 'm-hide' },
    { id: 'text', label: 'col.payload', text: (row) => row.text, cell: (row) => <><b class="m-only"><Topic row={row} /></b><span class="mono small">{visible(row.text, 600)}</span></>, cls: 'wrap' },
  ];
  return (
    <>
      <pre class="config">mosquitto_sub -t '{data.topic}n/+/b/{data.name}/#' -v</pre>
      <Grid name="bot-raw" label={t('bot.tab.raw' as Key)} rows={list} cols={cols} rowKey={(row) => row.n} none={t('bot.noRaw')}>
        <button class="btn small" aria-pressed={held} onClick={() => setHeld(!held)}><Icon name={held ? 'play' : 'pause'} />{t(held ? 'logs.follow' : 'logs.pause')}</button></Grid>
    </>
  );
}

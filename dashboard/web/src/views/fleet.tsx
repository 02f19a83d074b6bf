// The fleet: totals, filter, and a table of which only the rows in sight are in the page.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { denied, tenantRoot } from '../bus/session.ts';
import { tick } from '../bus/clock.ts';
import {
  arrange, fleetTotals, holdOrder, isStale, loaded, names, pick, priceText, query, rows, selected, sort, totals, view, type Column,
} from '../fleet.ts';
import { fleetNow } from '../bus/clock.ts';
import { plural, t, type Key } from '../i18n/index.ts';
import { age, assets, decimal, money, NONE, sign } from '../lib/format.ts';
import { BulkBar } from '../parts/bulkbar.tsx';
import { csv, download } from '../lib/csv.ts';
import { filters, keysOn, saveFilter } from '../prefs.ts';
import { PhaseBadge } from '../parts/badge.tsx';
import { Empty, Skeleton } from '../parts/states.tsx';
import { Icon } from '../parts/icon.tsx';
import { Spark } from '../parts/spark.tsx';
import { go } from '../router.ts';

const ROW = 40;
const SPARE = 6;
const PHONE = matchMedia('(max-width: 720px)');
const SELECT_MAX = 1000;
const COLUMNS: { id: Column | 'trend'; label: Key; cls: string }[] = [
  { id: 'bot', label: 'col.bot', cls: 'c-bot' },
  { id: 'state', label: 'col.state', cls: 'c-state' },
  { id: 'strategy', label: 'col.strategy', cls: 'c-strategy m-hide n-hide' },
  { id: 'instrument', label: 'col.instrument', cls: 'c-inst m-hide' },
  { id: 'price', label: 'col.price', cls: 'c-num' },
  { id: 'position', label: 'col.position', cls: 'c-num m-hide' },
  { id: 'pnl', label: 'col.pnl', cls: 'c-num c-pnl' },
  { id: 'trend', label: 'col.trend', cls: 'c-trend m-hide w-hide' },
  { id: 'orders', label: 'col.orders', cls: 'c-small m-hide w-hide' },
  { id: 'fills', label: 'col.fills', cls: 'c-small m-hide' },
  { id: 'node', label: 'col.node', cls: 'c-node m-hide n-hide' },
  { id: 'age', label: 'col.age', cls: 'c-age m-hide' },
];

function Line({ name, index, on, here }: { name: string; index: number; on: boolean; here: boolean }): VNode | null {
  const row = rows.get(name)?.value;
  void tick.value;
  if (!row) return null;
  const { bot } = row;
  const { quote, base } = assets(bot.i);
  const stale = isStale(row);
  const pnl = bot.eq ?? bot.pnl;
  const heard = fleetNow() - row.at;
  return (
    <tr class={`${stale ? 'stale' : ''} ${on ? 'picked' : ''} ${here ? 'here' : ''}`} aria-rowindex={index + 2} aria-selected={on} onClick={(event) => { if (!(event.target as Element).closest('.c-pick')) go(`bot/${name}`); }}
      title={stale ? t('fleet.stale', { age: age(heard) }) : undefined}>
      <td class="c-pick"><input type="checkbox" checked={on} aria-label={t('fleet.select', { bot: name })} onClick={(event) => pick(name, event.shiftKey)} /></td>
      <td class="c-bot"><a href={`#/bot/${name}`} onClick={(event) => event.stopPropagation()}>{name}</a>
        <span class="m-only dim">{bot.s} · {bot.i}</span></td>
      <td class="c-state"><PhaseBadge phase={bot.ph} note={bot.rc} lost={bot.lost} /></td>
      <td class="c-strategy m-hide n-hide">{bot.s}</td>
      <td class="c-inst m-hide">{bot.i ?? NONE}</td>
      <td class="c-num num">{priceText(bot.i, bot.px)}</td>
      <td class="c-num num m-hide" title={base}>{decimal(bot.pos, { max: 6 })}</td>
      <td class={`c-num c-pnl num t${sign(pnl)}`}>{money(pnl, quote)}<span class="m-only"><Spark values={row.trend} /></span></td>
      <td class="c-trend m-hide w-hide"><Spark values={row.trend} /></td>
      <td class="c-small num m-hide w-hide">{bot.oo ?? NONE}</td>
      <td class="c-small num m-hide">{bot.fills}</td>
      <td class="c-node m-hide n-hide">{bot.nd}</td>
      <td class="c-age num m-hide">{bot.age_ms === undefined ? NONE : age(heard)}</td>
    </tr>
  );
}

function HeadCell({ id, label, cls }: (typeof COLUMNS)[number]): VNode {
  if (id === 'trend') return <th class={cls} scope="col">{t(label)}</th>;
  const { column, down } = sort.value;
  const on = column === id;
  const flip = (): void => { sort.value = { column: id, down: on ? !down : id === 'pnl' || id === 'fills' || id === 'orders' }; };
  return (
    <th class={cls} scope="col" aria-sort={on ? (down ? 'descending' : 'ascending') : 'none'}>
      <button onClick={flip} data-sort={id}>{t(label)}{on && <Icon name={down ? 'down' : 'up'} />}</button></th>
  );
}

function Table(): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 40 });
  const [cursor, setCursor] = useState(-1);
  const at = useRef(-1); // the same at once: two keys may come within one frame
  const list = view.value;
  const picks = selected.value;
  const all = list.length > 0 && list.length <= SELECT_MAX && list.every((name) => picks.has(name));
  const measure = (): void => {
    const el = box.current;
    if (!el) return;
    const height = ROW * (PHONE.matches ? 1.4 : 1);
    const first = Math.max(0, Math.floor(el.scrollTop / height) - SPARE);
    const last = Math.ceil((el.scrollTop + el.clientHeight) / height) + SPARE;
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
  };
  useEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => {
      observer.disconnect();
      holdOrder.value = false;
    };
  }, []);
  useEffect(() => { // j, k, Space, Enter: the table without a pointer
    const press = (event: KeyboardEvent): void => {
      if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      const target = event.target as HTMLElement;
      if (/^(INPUT|SELECT|TEXTAREA|BUTTON|A)$/.test(target.tagName) && event.key !== 'j' && event.key !== 'k') return;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && (target as HTMLInputElement).type !== 'checkbox') return;
      const rowsNow = view.value;
      const name = rowsNow[at.current];
      const step = event.key === 'j' || event.key === 'ArrowDown' ? 1 : event.key === 'k' || event.key === 'ArrowUp' ? -1 : 0;
      if (step) {
        const next = Math.min(rowsNow.length - 1, Math.max(0, at.current + step));
        at.current = next;
        setCursor(next);
        const height = PHONE.matches ? 56 : ROW;
        const el = box.current;
        if (el && (next * height < el.scrollTop || (next + 2) * height > el.scrollTop + el.clientHeight)) el.scrollTop = Math.max(0, next * height - el.clientHeight / 2);
      } else if (event.key === ' ' && name) pick(name, event.shiftKey);
      else if (event.key === 'Enter' && name) go(`bot/${name}`);
      else if (event.key === 'Escape' && selected.value.size > 0) selected.value = new Set();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  const shown = list.slice(range.first, range.last);
  const hold = (on: boolean) => (): void => { holdOrder.value = on; };
  return (
    <div class="table-box" ref={box} onScroll={measure} onMouseEnter={hold(true)} onMouseLeave={hold(false)} tabIndex={-1}>
      <table class="fleet" aria-label={t('fleet.list')} aria-rowcount={list.length + 1}>
        <thead><tr><th class="c-pick" scope="col"><input type="checkbox" checked={all} disabled={list.length > SELECT_MAX} aria-label={t('fleet.selectAll')} onClick={() => { selected.value = all ? new Set() : new Set(list); }} /></th>{COLUMNS.map((column) => <HeadCell key={column.id} {...column} />)}</tr></thead>
        <tbody>
          {range.first > 0 && <Spacer rows={Math.min(range.first, list.length)} />}
          {shown.map((name, i) => <Line key={name} name={name} index={range.first + i} on={picks.has(name)} here={range.first + i === cursor} />)}
          {range.last < list.length && <Spacer rows={list.length - range.last} />}
        </tbody>
      </table>
      {list.length === 0 && <Empty title={t('fleet.noMatch')}><button class="btn" onClick={() => { query.value = ''; }}>{t('act.clear')}</button></Empty>}
    </div>
  );
}

const Spacer = ({ rows: count }: { rows: number }): VNode =>
  <tr class="spacer" aria-hidden="true"><td ref={(el) => { if (el) el.style.height = `calc(${count} * var(--row))`; }} /></tr>;

function Totals(): VNode {
  const { byQuote, running, orders, attention, bots } = totals.value;
  const main = byQuote[0];
  const fleet = fleetTotals.value;
  const fills = fleet?.fills ?? 0;
  return (
    <section class="kpis">
      <div class="kpi lead" title={t('fleet.equityHint')}><h2>{t('fleet.equity')}</h2>
        <p class={`num t${sign(main?.equity)}`}>{money(main?.equity, main?.quote ?? '')} <small>{main?.quote}</small></p>
        {byQuote.slice(1).map((sum) => <p key={sum.quote} class={`num minor t${sign(sum.equity)}`}>{money(sum.equity, sum.quote)} <small>{sum.quote}</small></p>)}</div>
      <div class="kpi"><h2>{t('fleet.realised')}</h2><p class={`num t${sign(main?.realised)}`}>{money(main?.realised, main?.quote ?? '')}</p></div>
      <div class="kpi"><h2>{t('fleet.running')}</h2><p class="num">{running}<small> / {bots}</small></p></div>
      <div class={`kpi ${attention ? 'alarm' : ''}`} title={t('fleet.attentionHint')}><h2>{t('fleet.attention')}</h2><p class="num">{attention}</p></div>
      <div class="kpi"><h2>{t('fleet.orders')}</h2><p class="num">{decimal(String(orders))}</p></div>
      <div class="kpi"><h2>{t('fleet.fills')}</h2><p class="num" data-testid="fleet-fills">{decimal(String(fills))}</p></div>
      <div class="kpi"><h2>{t('fleet.nodes')}</h2><p class="num">{fleet ? fleet.nodes_up : NONE}<small> / {fleet?.nodes ?? NONE}</small></p></div>
    </section>
  );
}

/** Filters that were kept under a name, in this browser. */
function Saved(): VNode {
  const [name, setName] = useState('');
  const keep = (event: Event): void => {
    event.preventDefault();
    if (name.trim() && query.value.trim()) saveFilter(name.trim().slice(0, 40), query.value.trim());
    setName('');
  };
  const list = Object.entries(filters.value);
  return (
    <details class="menu saved"><summary class="ghost" title={t('fleet.saved')} aria-label={t('fleet.saved')}><Icon name="star" />{list.length > 0 && <b class="num">{list.length}</b>}</summary>
      <div class="pop">{list.map(([label, text]) => (
        <span key={label} class="saved-row"><button class="row" title={text} onClick={(event) => { query.value = text; event.currentTarget.closest('details')?.removeAttribute('open'); }}>{label}<br /><span class="dim small mono">{text}</span></button>
          <button class="ghost" aria-label={t('fleet.dropFilter', { name: label })} onClick={() => saveFilter(label, null)}><Icon name="trash" /></button></span>))}
        <form onSubmit={keep}><label class="field"><span>{t('fleet.filterName')}</span><input value={name} maxLength={40} onInput={(event) => setName(event.currentTarget.value)} /></label>
          <button class="btn small" disabled={!query.value.trim() || !name.trim()}>{t('fleet.saveFilter')}</button></form></div></details>
  );
}

function exportFleet(): void {
  const head = ['bot', 'state', 'strategy', 'instrument', 'mode', 'node', 'price', 'position', 'realised', 'equity', 'orders', 'fills', 'age_ms'];
  const lines = view.value.map((name) => rows.get(name)?.peek()).filter((row) => row !== undefined)
    .map(({ bot, at }) => [bot.n, bot.ph, bot.s, bot.i, bot.m, bot.nd, bot.px, bot.pos, bot.pnl, bot.eq, bot.oo, bot.fills, Math.max(0, Math.round(fleetNow() - at))].map((value) => String(value ?? '')));
  download('flotilla-fleet.csv', csv([head, ...lines]));
}

const CHIPS = ['running', 'paused', 'stopped', 'error', 'waiting'] as const;

function Tools(): VNode {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test((event.target as Element).tagName)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);
  const { phases } = totals.value;
  return (
    <div class="tools">
      <label class="search"><Icon name="search" /><span class="sr">{t('fleet.filterLabel')}</span>
        <input ref={input} type="search" value={query.value} placeholder={t('fleet.filter')} onKeyDown={(event) => { if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur(); }} onInput={(event) => { query.value = event.currentTarget.value; }} /><kbd>/</kbd></label>
      <div class="chips">
        <button class={query.value === '' ? 'chip on' : 'chip'} onClick={() => { query.value = ''; }}>{t('fleet.all')}</button>
        {CHIPS.filter((phase) => phases.has(phase)).map((phase) => {
          const text = `state:${phase}`;
          return <button key={phase} class={query.value === text ? 'chip on' : 'chip'} onClick={() => { query.value = query.value === text ? '' : text; }}>
            {t(`phase.${phase}`)} <b class="num">{phases.get(phase)}</b></button>;
        })}
      </div>
      <span class="grow" />
      <Saved />
      <button class="ghost" title={t('fleet.csv')} aria-label={t('fleet.csv')} data-testid="csv-fleet" onClick={exportFleet}><Icon name="save" /></button>
      <span class="dim num">{plural('fleet.count', view.value.length)}</span>
      <a class="btn primary" href="#/deploy"><Icon name="deploy" />{t('fleet.deploy')}</a>
    </div>
  );
}

export function Fleet(): VNode {
  useEffect(arrange, []);
  if (denied.value.has(`${tenantRoot.value}ui/digest/+`)) return <Empty title={t('fleet.denied')} />;
  if (!loaded.value) return <Skeleton rows={10} />;
  if (names.value.length === 0) {
    return (
      <Empty title={t('fleet.empty')}><p class="dim">{t('fleet.emptyHint')}</p>
        <pre>flotilla bot deploy --strategy grid --instrument BTC-USDT --mode paper{'\n'}flotilla apply -f fleet.yml</pre>
        <a class="btn primary" href="#/deploy">{t('fleet.deploy')}</a></Empty>
    );
  }
  return (
    <div class="page fleet-page">
      <h1 class="sr">{t('fleet.title')}</h1>
      <Totals />
      <section class="card fill"><Tools />{selected.value.size > 0 && <BulkBar />}<Table /></section>
    </div>
  );
}

// Profit by day: bars above and below a line, at least two weeks of them, and the table that says the same.
import type { VNode } from 'preact';
import { t } from '../i18n/index.ts';
import { decimal, money, sign } from '../lib/format.ts';
import { Grid, type Col } from './grid.tsx';
import type { PnlDay } from '../types.ts';

const H = 120;
const SLOTS_MIN = 14;
const SLOTS_MAX = 60;
const DAY_MS = 86400000;
const fees = (day: PnlDay): string => Object.entries(day.fees ?? {}).map(([asset, paid]) => `${decimal(String(paid), { max: 8 })} ${asset}`).join(', ');

const COLS: Col<PnlDay>[] = [
  { id: 'day', label: 'col.day', text: (row) => row.day, cls: 'num' },
  { id: 'net', label: 'col.net', num: true, text: (row) => row.net, cell: (row) => <b class={`t${sign(row.net)}`}>{money(row.net, row.quote)}</b> },
  { id: 'realised', label: 'col.realised', num: true, text: (row) => row.realised, cell: (row) => money(row.realised, row.quote), cls: 'm-hide' },
  { id: 'unrealised', label: 'col.unrealised', num: true, text: (row) => row.unrealised, cell: (row) => money(row.unrealised, row.quote), cls: 'm-hide' },
  { id: 'volume', label: 'col.volume', num: true, text: (row) => row.volume, cell: (row) => money(row.volume, row.quote, false), cls: 'm-hide' },
  { id: 'fills', label: 'col.fills', num: true, text: (row) => row.fills },
  { id: 'total', label: 'col.total', num: true, text: (row) => row.total, cell: (row) => money(row.total, row.quote) },
  { id: 'quote', label: 'col.quote', text: (row) => row.quote, cls: 'm-hide' },
  { id: 'fees', label: 'col.fee', text: fees, cls: 'm-hide small dim' },
];

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The days that end with the newest, those without a trade included. */
function slots(days: readonly PnlDay[]): (PnlDay | string)[] {
  const last = Date.parse(days.at(-1)!.day);
  const count = Math.min(SLOTS_MAX, Math.max(SLOTS_MIN, Math.round((last - Date.parse(days[0]!.day)) / DAY_MS) + 1));
  const byDay = new Map(days.map((day) => [day.day, day]));
  return Array.from({ length: count }, (_, i) => dayOf(last - (count - 1 - i) * DAY_MS)).map((day) => byDay.get(day) ?? day);
}

function Bars({ days, quote }: { days: readonly PnlDay[]; quote: string }): VNode {
  const shown = slots(days);
  const values = shown.map((day) => (typeof day === 'string' ? 0 : Number(day.net)));
  const [most, least] = [Math.max(0, ...values), Math.min(0, ...values)];
  const [top, low] = [most * 1.15, least * 1.15]; // air above the highest bar
  const y = (value: number): number => (top === low ? H / 2 : ((top - value) / (top - low)) * H);
  const label = (value: number, at: number): VNode => <span class="num" style={`top:${((at / H) * 100).toFixed(1)}%`}>{money(value.toFixed(8), quote)}</span>;
  return (
    <div class="days" role="group" aria-label={t('bot.days')} data-testid="days" data-slots={shown.length}>
      <div class="days-box">
        <svg viewBox={`0 0 ${shown.length * 12} ${H}`} preserveAspectRatio="none" aria-hidden="true">
          {shown.map((day, i) => (typeof day === 'string' ? <rect key={day} class="f0" x={i * 12 + 4} width="4" y={y(0) - 0.75} height="1.5"><title>{day}</title></rect>
            : <rect key={day.day} class={`f${sign(day.net)}`} x={i * 12 + 2} width="8" y={Math.min(y(0), y(values[i]!))} height={Math.max(1.5, Math.abs(y(0) - y(values[i]!)))}><title>{`${day.day}  ${money(day.net, day.quote)} ${day.quote}`}</title></rect>))}
          <line class="zero" x1="0" x2={shown.length * 12} y1={y(0)} y2={y(0)} />
        </svg>
        <div class="days-axis" aria-hidden="true">{most > 0 && label(most, y(most))}<span class="num" style={`top:${((y(0) / H) * 100).toFixed(1)}%`}>0</span>{least < 0 && label(least, y(least))}</div></div>
      <p class="days-ends num"><span>{typeof shown[0] === 'string' ? shown[0] : shown[0]!.day}</span><span>{days.at(-1)!.day}</span></p></div>
  );
}

export function DayBars({ name, days }: { name: string; days: readonly PnlDay[] }): VNode {
  const main = days.at(-1)?.quote;
  const shown = days.filter((day) => day.quote === main);
  return (
    <>
      {shown.length > 0 && <Bars days={shown} quote={main!} />}
      <Grid name={name} label={t('bot.days')} rows={[...days].reverse()} cols={COLS} rowKey={(row) => `${row.day} ${row.quote}`} none={t('bot.noDays')} />
    </>
  );
}

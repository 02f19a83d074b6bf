// Profit by day: bars above and below a line, and the table that says the same.
import type { VNode } from 'preact';
import { t } from '../i18n/index.ts';
import { decimal, money, sign } from '../lib/format.ts';
import { Grid, type Col } from './grid.tsx';
import type { PnlDay } from '../types.ts';

const H = 110;
const fees = (day: PnlDay): string => Object.entries(day.fees ?? {}).map(([asset, paid]) => `${decimal(String(paid), { max: 8 })} ${asset}`).join(', ');

const COLS: Col<PnlDay>[] = [
  { id: 'day', label: 'col.day', text: (row) => row.day },
  { id: 'net', label: 'col.net', num: true, text: (row) => row.net, cell: (row) => <b class={`t${sign(row.net)}`}>{money(row.net, row.quote)}</b> },
  { id: 'realised', label: 'col.realised', num: true, text: (row) => row.realised, cell: (row) => money(row.realised, row.quote), cls: 'm-hide' },
  { id: 'unrealised', label: 'col.unrealised', num: true, text: (row) => row.unrealised, cell: (row) => money(row.unrealised, row.quote), cls: 'm-hide' },
  { id: 'fees', label: 'col.fee', text: fees, cls: 'm-hide' },
  { id: 'volume', label: 'col.volume', num: true, text: (row) => row.volume, cell: (row) => money(row.volume, row.quote, false), cls: 'm-hide' },
  { id: 'fills', label: 'col.fills', num: true, text: (row) => row.fills },
  { id: 'total', label: 'col.total', num: true, text: (row) => row.total, cell: (row) => money(row.total, row.quote) },
  { id: 'quote', label: 'col.quote', text: (row) => row.quote, cls: 'm-hide' },
];

export function DayBars({ name, days }: { name: string; days: readonly PnlDay[] }): VNode {
  const main = days[0]?.quote;
  const shown = days.filter((day) => day.quote === main).slice(-60);
  const values = shown.map((day) => Number(day.net));
  const [top, low] = [Math.max(0, ...values), Math.min(0, ...values)];
  const span = top - low || 1;
  const y = (value: number): number => ((top - value) / span) * (H - 4) + 2;
  return (
    <>
      {shown.length > 0 && <div class="days" role="group" aria-label={t('bot.days')}>
        <svg viewBox={`0 0 ${Math.max(20, shown.length) * 12} ${H}`} preserveAspectRatio="none" aria-hidden="true">
          <line class="zero" x1="0" x2={Math.max(20, shown.length) * 12} y1={y(0)} y2={y(0)} />
          {shown.map((day, i) => <rect key={day.day} class={`f${sign(day.net)}`} x={i * 12 + 2} width="8" y={Math.min(y(0), y(values[i]!))} height={Math.max(1, Math.abs(y(0) - y(values[i]!)))} />)}
        </svg><p class="days-ends num"><span>{shown[0]!.day}</span><span>{shown.at(-1)!.day}</span></p></div>}
      <Grid name={name} label={t('bot.days')} rows={[...days].reverse()} cols={COLS} rowKey={(row) => `${row.day} ${row.quote}`} />
    </>
  );
}

// The price chart with its timeframe, orders and fills, and the equity line. The library comes when drawn.
import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { fillTime, type BotData } from '../botdata.ts';
import { TIMEFRAMES, type Bar, type Timeframe } from '../lib/candles.ts';
import { dateTime, decimal, placesOf } from '../lib/format.ts';
import { breakEven } from '../lib/pnl.ts';
import { Grid, type Col } from './grid.tsx';
import type { EquityPoint } from '../types.ts';
import { priceOf, pricePlaces, qtyOf } from '../steps.ts';
import { theme, updown } from '../prefs.ts';
import { language, t, word } from '../i18n/index.ts';
import { Told } from './told.tsx';
import type { PriceChart } from '../chart/chart.ts';

const price = (data: BotData): string | undefined => data.live.value?.price ?? data.state.value?.price ?? data.show.value?.bot.price;

const SAME = 0.0002;

/** Joins the page's signals to one chart; returns what ends it. */
function bind(chart: PriceChart, data: BotData): () => void {
  let shown: unknown = null;
  let exact = -1;
  const ends = [
    effect(() => {
      void theme.value;
      void updown.value;
      chart.recolor();
    }),
    effect(() => {
      const bars = data.bars.value;
      const places = pricePlaces(data.show.value?.bot ?? {}) ?? Math.max(placesOf(price(data)), 2);
      if (!bars || (bars === shown && places === exact)) return;
      shown = bars;
      exact = places;
      chart.setBars([...bars], places);
    }),
    effect(() => {
      const bar = data.lastBar.value;
      if (bar && data.bars.value) chart.update(bar);
    }),
    effect(() => {
      const timeframe = data.timeframe.value;
      chart.setFills((data.fills.value ?? []).map((fill) => ({ time: fillTime(fill, timeframe), price: Number(fill.price), buy: fill.side === 'buy' })).reverse());
    }),
    effect(() => {
      const orders = (data.orders.value ?? []).filter((order) => order.price !== undefined);
      void language.value;
      chart.setOrders(orders.map((order) => ({ price: Number(order.price), buy: order.side === 'buy', label: `${word('side', order.side)} ${qtyOf(data.show.value?.bot ?? {}, order.qty)}` })), Number(price(data)));
    }),
    effect(() => {
      void language.value;
      const state = data.state.value;
      const book = data.live.value?.book ?? state?.book;
      const even = book ? Number(breakEven(book) ?? NaN) : NaN;
      const average = Number(state?.book.position) !== 0 ? Number(state?.average_price ?? NaN) : NaN;
      const one = Math.abs(even / average - 1) < SAME; // two lines on each other are one
      chart.setAverage(Number.isFinite(average) ? average : null, one ? `${t('bot.position')} = ${t('bot.breakEven')}` : t('bot.position'));
      chart.setBreakEven(Number.isFinite(even) && !one ? even : null, t('bot.breakEven'));
    }),
  ];
  return () => { for (const end of ends) end(); };
}

const barCols = (of: { venue?: string; instrument?: string }): Col<Bar>[] => [
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.time * 1000), cell: (row) => dateTime(row.time * 1000).slice(5, 16), cls: 'num' },
  ...(['open', 'high', 'low', 'close'] as const).map((key): Col<Bar> => ({ id: key, label: `col.${key}`, num: true, text: (row) => row[key], cell: (row) => priceOf(of, String(row[key])) })),
  { id: 'volume', label: 'col.volume', num: true, text: (row) => row.volume, cell: (row) => decimal(String(row.volume)), cls: 'm-hide' },
];
const EQUITY: Col<EquityPoint>[] = [
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'num' },
  { id: 'equity', label: 'bot.equity', num: true, text: (row) => row.equity, cell: (row) => decimal(row.equity, { places: 2, sign: true }) },
  { id: 'position', label: 'col.position', num: true, text: (row) => row.position, cell: (row) => decimal(row.position, { max: 8 }) },
  { id: 'price', label: 'col.price', num: true, text: (row) => row.price, cell: (row) => decimal(row.price) },
];

/** The chart's numbers as a table: for who cannot see it, and for export. */
const Twin = ({ on, flip }: { on: boolean; flip: () => void }): VNode => <button class="btn small" aria-pressed={on} onClick={flip}>{t('bot.table')}</button>;

export function PriceCard({ data, instrument }: { data: BotData; instrument: string }): VNode {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<PriceChart | null>(null);
  const [failed, setFailed] = useState('');
  const [twin, setTwin] = useState(false);
  useEffect(() => {
    let end = (): void => {};
    let here = true;
    import('../chart/chart.ts').then(({ createPriceChart }) => {
      if (!here || !place.current) return;
      const made = createPriceChart(place.current);
      const unbind = bind(made, data);
      chart.current = made;
      end = () => {
        unbind();
        made.destroy();
      };
    }, (error: unknown) => setFailed(String(error)));
    return () => {
      here = false;
      end();
    };
  }, [data]);
  const choose = (timeframe: Timeframe): void => {
    data.timeframe.value = timeframe;
    data.lastBar.value = null;
    void data.loadCandles();
  };
  const problem = failed || data.chartProblem.value;
  const none = data.bars.value?.length === 0 && !problem;
  return (
    <section class="card chart-card">
      <div class="chart-head">
        <h2>{instrument}</h2>
        <div class="seg" role="group" aria-label={t('bot.timeframe')}>
          {(Object.keys(TIMEFRAMES) as Timeframe[]).map((timeframe) => (
            <button key={timeframe} aria-pressed={data.timeframe.value === timeframe} onClick={() => choose(timeframe)}>{timeframe}</button>))}
        </div>
        <button class="btn small" onClick={() => chart.current?.fit()}>{t('bot.fit')}</button>
        <Twin on={twin} flip={() => setTwin(!twin)} />
        <span class="grow" />
        <span class="legend"><i class="buy">▲ {t('bot.buyFill')}</i><i class="sell">▼ {t('bot.sellFill')}</i><i><span class="line" /> {t('bot.orderLine')}</i></span>
      </div>
      <div class="chart" role="group" aria-label={t('bot.chart', { instrument })} data-testid="chart" data-bars={data.bars.value?.length ?? 0} data-last={data.lastBar.value?.close ?? ''}>
        <div class="canvas" ref={place} />
        {problem && <p class="none">{t('state.error', { why: '' })}<Told text={problem} /></p>}
        {none && <p class="none">{t('bot.noCandles', { instrument, timeframe: data.timeframe.value })}</p>}
      </div>
      {twin && <Grid name="candles" label={t('bot.chart', { instrument })} rows={[...(data.bars.value ?? [])].reverse()} cols={barCols(data.show.value?.bot ?? { instrument })} rowKey={(row) => row.time} max={200} />}
      <p class="credit"><a href="https://www.tradingview.com" target="_blank" rel="noopener noreferrer">Lightweight Charts™ © TradingView</a></p>
    </section>
  );
}

export function EquityCard({ data, quote }: { data: BotData; quote: string }): VNode {
  const [twin, setTwin] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let end = (): void => {};
    let here = true;
    void import('../chart/chart.ts').then(({ createEquityChart }) => {
      if (!here || !place.current) return;
      const chart = createEquityChart(place.current);
      let count = 0;
      const ends = [
        effect(() => {
          void theme.value;
          void updown.value;
          chart.recolor();
        }),
        effect(() => {
          const points = data.equity.value ?? [];
          const last = points[points.length - 1];
          if (!last) return;
          if (points.length === count + 1 && count > 1) chart.update({ time: Math.floor(last.ts_ms / 1000), value: Number(last.equity) });
          else chart.set(bySecond(points));
          count = points.length;
        }),
      ];
      end = () => {
        for (const stop of ends) stop();
        chart.destroy();
      };
    }, () => { /* the price chart says that the library did not load */ });
    return () => {
      here = false;
      end();
    };
  }, [data]);
  return (
    <section class="card chart-card">
      <div class="chart-head"><h2>{t('bot.equity')} <small class="dim">{quote}</small></h2><span class="legend"><i>{t('bot.drawdownBelow')}</i></span><span class="grow" /><Twin on={twin} flip={() => setTwin(!twin)} /></div>
      <div class="chart equity" role="group" aria-label={t('bot.equityChart', { bot: data.name })} data-testid="equity" data-points={data.equity.value?.length ?? 0}>
        <div class="canvas" ref={place} />
        {data.equity.value?.length === 0 && <p class="none">{t('bot.noEquity')}</p>}
      </div>
      {twin && <Grid name="equity" label={t('bot.equityChart', { bot: data.name })} rows={[...(data.equity.value ?? [])].reverse()} cols={EQUITY} rowKey={(row) => row.ts_ms} max={200} />}
    </section>
  );
}

/** The chart wants ascending times, one point each. */
function bySecond(points: readonly { ts_ms: number; equity: string }[]): { time: number; value: number }[] {
  const last = new Map<number, number>();
  for (const { ts_ms, equity } of points) last.set(Math.floor(ts_ms / 1000), Number(equity));
  return [...last].sort((a, b) => a[0] - b[0]).map(([time, value]) => ({ time, value }));
}

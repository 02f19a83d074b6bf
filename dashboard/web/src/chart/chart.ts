// Price and equity charts: lightweight-charts behind the few calls that the bot page needs.
import {
  AreaSeries, CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, LineStyle,
  type ChartOptions, type DeepPartial, type IChartApi, type IPriceLine, type UTCTimestamp,
} from 'lightweight-charts';
import { drawdown } from '../lib/drawdown.ts';
import { decimal } from '../lib/format.ts';
import { color } from '../prefs.ts';
import { Overlay, type FillMark, type OrderMark } from './overlay.ts';

export type { FillMark, OrderMark };
export interface Bar { time: number; open: number; high: number; low: number; close: number; volume: number }
export interface Point { time: number; value: number }

const two = (n: number): string => String(n).padStart(2, '0');
const clock = (seconds: number): string => {
  const d = new Date(seconds * 1000);
  return `${two(d.getHours())}:${two(d.getMinutes())}`;
};
const exactly = (seconds: number): string => `${clock(seconds)}:${two(new Date(seconds * 1000).getSeconds())}`;
const day = (seconds: number): string => {
  const d = new Date(seconds * 1000);
  return `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
};

function look(): DeepPartial<ChartOptions> {
  const line = color('grid');
  return {
    layout: {
      background: { type: ColorType.Solid, color: 'transparent' }, textColor: color('dim'), fontSize: 12,
      fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: false, // the credit stands under the chart
      panes: { separatorColor: line, separatorHoverColor: line, enableResize: false },
    },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    rightPriceScale: { borderColor: color('line') },
    timeScale: {
      borderColor: color('line'), timeVisible: true, secondsVisible: false, rightOffset: 6, minBarSpacing: 2, maxBarSpacing: 28,
      tickMarkFormatter: (time: UTCTimestamp, kind: number) => (kind < 3 ? day(time) : kind === 4 ? exactly(time) : clock(time)), // the reader's own time
    },
    localization: { timeFormatter: (time: UTCTimestamp) => `${day(time)} ${clock(time)}` },
    crosshair: { mode: CrosshairMode.Normal },
    handleScroll: { vertTouchDrag: false }, // one finger still scrolls the page
  };
}

export interface PriceChart {
  setBars(bars: Bar[], places: number): void;
  update(bar: Bar): void;
  setFills(fills: FillMark[]): void;
  setOrders(orders: OrderMark[], last: number, all?: boolean): void;
  setAverage(price: number | null, title: string): void;
  setBreakEven(price: number | null, title: string): void;
  fit(): void;
  recolor(): void;
  destroy(): void;
}

export function createPriceChart(place: HTMLElement): PriceChart {
  const chart: IChartApi = createChart(place, { ...look(), autoSize: true });
  const candles = chart.addSeries(CandlestickSeries);
  const volume = chart.addSeries(HistogramSeries, { priceScaleId: '', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false });
  const overlay = new Overlay();
  let average: IPriceLine | null = null;
  let even: IPriceLine | null = null;
  let bars: Bar[] = [];
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
  candles.attachPrimitive(overlay);

  const bar = (b: Bar): { time: UTCTimestamp } & Omit<Bar, 'time' | 'volume'> =>
    ({ time: b.time as UTCTimestamp, open: b.open, high: b.high, low: b.low, close: b.close });
  const column = (b: Bar): { time: UTCTimestamp; value: number; color: string } =>
    ({ time: b.time as UTCTimestamp, value: b.volume, color: color(b.close >= b.open ? 'up' : 'down') + '40' });
  const recolor = (): void => {
    const up = color('up');
    const down = color('down');
    chart.applyOptions(look());
    candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false, priceLineColor: color('dim') });
    volume.setData(bars.map(column));
    average?.applyOptions({ color: color('accent') });
    even?.applyOptions({ color: color('warn') });
  };
  recolor();

  return {
    setBars(next, places) {
      const first = bars.length === 0;
      bars = next;
      candles.applyOptions({ priceFormat: { type: 'price', precision: places, minMove: 10 ** -places } });
      chart.applyOptions({ localization: { priceFormatter: (price: number) => decimal(price.toFixed(places), { places }) } });
      candles.setData(next.map(bar));
      volume.setData(next.map(column));
      if (first) chart.timeScale().setVisibleLogicalRange({ from: next.length - 120, to: next.length + 6 });
    },
    update(next) {
      const last = bars[bars.length - 1];
      if (last && next.time < last.time) return;
      if (last && last.time === next.time) bars[bars.length - 1] = next;
      else bars.push(next);
      candles.update(bar(next));
      volume.update(column(next));
    },
    setFills: (fills) => overlay.setFills(fills),
    setOrders: (orders, last, all) => overlay.setOrders(orders, last, all),
    setAverage(price, title) {
      if (average) candles.removePriceLine(average);
      average = price === null ? null
        : candles.createPriceLine({ price, color: color('accent'), lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: true, title });
    },
    setBreakEven(price, title) {
      if (even) candles.removePriceLine(even);
      even = price === null ? null
        : candles.createPriceLine({ price, color: color('warn'), lineWidth: 1, lineStyle: LineStyle.LargeDashed, axisLabelVisible: true, title });
    },
    fit: () => chart.timeScale().fitContent(),
    recolor,
    destroy: () => chart.remove(),
  };
}

export interface EquityChart {
  set(points: Point[]): void;
  update(point: Point): void;
  recolor(): void;
  destroy(): void;
}

export function createEquityChart(place: HTMLElement): EquityChart {
  const chart = createChart(place, { ...look(), autoSize: true });
  let held = false; // by the reader: then it is left where it was put
  for (const act of ['pointerdown', 'wheel']) place.addEventListener(act, () => { held = true; }, { passive: true });
  place.addEventListener('dblclick', () => { held = false; chart.timeScale().fitContent(); });
  const area = chart.addSeries(AreaSeries, { lineWidth: 2, priceLineVisible: false });
  const below = chart.addSeries(AreaSeries, { lineWidth: 1, priceLineVisible: false, invertFilledArea: true }, 1);
  let last = 0;
  let peak = -Infinity;
  const recolor = (): void => {
    const accent = color('accent');
    const down = color('down');
    chart.applyOptions(look());
    chart.applyOptions({ timeScale: { secondsVisible: true, rightOffset: 0, maxBarSpacing: 0 }, localization: { priceFormatter: (value: number) => decimal(value.toFixed(2), { places: 2 }) } });
    area.applyOptions({ lineColor: accent, topColor: accent + '55', bottomColor: accent + '05' });
    below.applyOptions({ lineColor: down, topColor: down + '08', bottomColor: down + '55' });
  };
  recolor();
  chart.panes()[0]?.setStretchFactor(2.2);
  return {
    set(points) {
      area.setData(points.map(({ time, value }) => ({ time: time as UTCTimestamp, value })));
      below.setData(drawdown(points).map(({ time, value }) => ({ time: time as UTCTimestamp, value })));
      peak = Math.max(-Infinity, ...points.map(({ value }) => value));
      last = points[points.length - 1]?.time ?? 0;
      if (!held) chart.timeScale().fitContent();
    },
    update({ time, value }) {
      if (time < last) return;
      last = time;
      area.update({ time: time as UTCTimestamp, value });
      peak = Math.max(peak, value);
      below.update({ time: time as UTCTimestamp, value: value - peak });
      if (!held) chart.timeScale().fitContent();
    },
    recolor,
    destroy: () => chart.remove(),
  };
}

// Fills and resting orders on the price series: an own primitive, as the library's markers are all
// computed again with each change of the data (tradingview/lightweight-charts#767).
import type { AutoscaleInfo, IChartApi, IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesApi, ISeriesPrimitive, SeriesAttachedParameter, Time, UTCTimestamp } from 'lightweight-charts';
import { color } from '../prefs.ts';

export interface FillMark { time: number; price: number; buy: boolean } // time: its candle's, in seconds; ascending
export interface OrderMark { price: number; buy: boolean; label: string }

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
const NEAR = 2; // orders each side that the scale makes room for

/** The first index whose time is not below `time`. */
export function lowerBound(marks: readonly { time: number }[], time: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]!.time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A label on its line, with the page's ground behind it so that the line does not strike it out. */
function tag(draw: CanvasRenderingContext2D, text: string, left: number, y: number): void {
  const ink = draw.fillStyle;
  draw.fillStyle = color('panel');
  draw.fillRect(left, y - 7, draw.measureText(text).width + 8, 14);
  draw.fillStyle = ink;
  draw.fillText(text, left + 4, y);
}

export class Overlay implements ISeriesPrimitive<Time> {
  private chart: IChartApi | null = null;
  private series: ISeriesApi<'Candlestick'> | null = null;
  private redraw: () => void = () => {};
  private fills: FillMark[] = [];
  private orders: OrderMark[] = [];
  private last = NaN;
  private all = false;
  private readonly views: IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (target: Target) => this.drawOrders(target) }) },
    { zOrder: () => 'normal', renderer: () => ({ draw: (target: Target) => this.drawLabels(target) }) },
    { zOrder: () => 'top', renderer: () => ({ draw: (target: Target) => this.drawFills(target) }) },
  ];

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart as IChartApi;
    this.series = series as ISeriesApi<'Candlestick'>;
    this.redraw = requestUpdate;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  setFills(fills: FillMark[]): void {
    this.fills = fills;
    this.redraw();
  }

  /** `all`: the scale makes room for every one of them. */
  setOrders(orders: OrderMark[], last: number, all = false): void {
    this.all = all;
    this.orders = orders;
    this.last = last;
    this.redraw();
  }

  autoscaleInfo(): AutoscaleInfo | null {
    if (!Number.isFinite(this.last)) return null;
    const buys = this.orders.filter((order) => order.buy).map((order) => order.price).sort((a, b) => b - a);
    const sells = this.orders.filter((order) => !order.buy).map((order) => order.price).sort((a, b) => a - b);
    const prices = this.orders.map((order) => order.price);
    if (this.all && prices.length > 0) return { priceRange: { minValue: Math.min(...prices, this.last), maxValue: Math.max(...prices, this.last) } };
    const near = [...buys.slice(0, NEAR), ...sells.slice(0, NEAR)].filter((price) => Math.abs(price / this.last - 1) < 0.03);
    if (near.length === 0) return null;
    return { priceRange: { minValue: Math.min(...near), maxValue: Math.max(...near) } };
  }

  private drawOrders(target: Target): void {
    const { series } = this;
    if (!series) return;
    target.useMediaCoordinateSpace(({ context: draw, mediaSize }) => {
      draw.setLineDash([4, 4]);
      draw.lineWidth = 1;
      for (const order of this.orders) {
        const y = series.priceToCoordinate(order.price) as number | null;
        if (y === null || y < 0 || y > mediaSize.height) continue;
        draw.strokeStyle = color(order.buy ? 'up' : 'down');
        draw.globalAlpha = 0.55;
        draw.beginPath();
        draw.moveTo(0, Math.round(y) + 0.5);
        draw.lineTo(mediaSize.width, Math.round(y) + 0.5);
        draw.stroke();
      }
    });
  }

  /** Above grid and lines, at the left, as the titles of position and break-even stand at the right. */
  private drawLabels(target: Target): void {
    const { series } = this;
    if (!series) return;
    target.useMediaCoordinateSpace(({ context: draw, mediaSize }) => {
      draw.font = '11px system-ui, sans-serif';
      draw.textAlign = 'left';
      draw.textBaseline = 'middle';
      const rows = this.orders.map((order) => ({ order, y: series.priceToCoordinate(order.price) as number | null }))
        .sort((a, b) => (a.y ?? 0) - (b.y ?? 0));
      let labelled = -100;
      for (const { order, y } of rows) { // over all lines, and only where there is room
        if (y === null || y - labelled < 16 || y > mediaSize.height) continue;
        labelled = y;
        draw.fillStyle = color(order.buy ? 'up' : 'down');
        tag(draw, order.label, 2, y);
      }
    });
  }

  private drawFills(target: Target): void {
    const { chart, series } = this;
    const range = chart?.timeScale().getVisibleRange();
    if (!chart || !series || !range) return;
    target.useMediaCoordinateSpace(({ context: draw }) => {
      const edge = color('panel');
      for (let i = lowerBound(this.fills, range.from as number); i < this.fills.length; i++) {
        const fill = this.fills[i]!;
        if (fill.time > (range.to as number)) break;
        const x = chart.timeScale().timeToCoordinate(fill.time as UTCTimestamp) as number | null;
        const y = series.priceToCoordinate(fill.price) as number | null;
        if (x === null || y === null) continue;
        const up = fill.buy ? 1 : -1;
        draw.beginPath();
        draw.moveTo(x, y + up);
        draw.lineTo(x - 5, y + 9 * up);
        draw.lineTo(x + 5, y + 9 * up);
        draw.closePath();
        draw.fillStyle = color(fill.buy ? 'up' : 'down');
        draw.fill();
        draw.lineWidth = 1;
        draw.strokeStyle = edge;
        draw.stroke();
      }
    });
  }
}

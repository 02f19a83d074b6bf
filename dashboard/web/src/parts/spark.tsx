// A line without axes: the last two minutes of a bot's PnL, as this page saw it.
import type { VNode } from 'preact';

const W = 72;
const H = 20;

export function sparkPath(values: readonly number[], width = W, height = H): string {
  if (values.length < 2) return '';
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = width / (values.length - 1);
  return values.map((value, i) =>
    `${i ? 'L' : 'M'}${(i * step).toFixed(1)} ${(height - 2 - ((value - low) / span) * (height - 4)).toFixed(1)}`).join('');
}

export function Spark({ values }: { values: readonly number[] }): VNode {
  const path = sparkPath(values);
  const tone = values.length > 1 ? Math.sign(values[values.length - 1]! - values[0]!) : 0;
  return <svg class={`spark t${tone}`} viewBox={`0 0 ${W} ${H}`} aria-hidden="true">{path && <path d={path} />}</svg>;
}
